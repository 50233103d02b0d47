"""A real browser for the tests of pages: Debian's Chromium, without a window, driven by Playwright.

    @pytest.mark.parametrize(("width", "scheme"), LOOKS)
    def test_...(open_page, width, scheme):
        page = open_page(path, width=width, scheme=scheme)  # a page of Playwright's, loaded from a file
        check_looks(page)
        screenshot(page, "stepper")

A warning or an error in the console, or an exception in a script, fails the test that opened the page. Where there is
no browser these tests are skipped. `CHAINRULE_SCREENSHOTS=FOLDER` keeps the screenshots.
"""

import os
import shutil
from pathlib import Path

import pytest

HEIGHTS = {375: 812, 1440: 900}  # of the screens of a phone and a desk, by width
LOOKS = [(width, scheme) for width in HEIGHTS for scheme in ("light", "dark")]
MISSING = "no browser to test pages in: "


@pytest.fixture(scope="module")  # not for longer: as long as Playwright runs, no other test can run a loop of asyncio
def browser():
    """Chromium; the tests are skipped where it or Playwright is missing."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip(f"{MISSING}Chromium is not installed (Debian: apt-get install chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip(f"{MISSING}Playwright is not installed (pip install playwright)")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser):
    """A function that opens a page from a file, at a width, in a colour scheme; `options` are those of a context."""
    contexts, told = [], []

    def open_file(path, width=1440, scheme="light", address="", **options):
        size = {"width": width, "height": HEIGHTS.get(width, 900)}
        context = browser.new_context(viewport=size, color_scheme=scheme, has_touch=width < 600, **options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        page.on("requestfailed", lambda request: told.append(f"error: {request.url} was asked for"))
        page.goto(Path(path).resolve().as_uri() + address)
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert not [line for line in told if line.startswith(("warning", "error"))]


def screenshot(page, name, full=True):
    """A picture of the page, the whole of it or what the window shows, under a name that tells how it was looked at;
    None unless CHAINRULE_SCREENSHOTS names a folder."""
    folder = os.environ.get("CHAINRULE_SCREENSHOTS")
    if not folder:
        return page.screenshot(full_page=full) and None
    scheme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    path = Path(folder) / f"{name}-{page.viewport_size['width']}-{scheme}.png"
    page.screenshot(path=path, full_page=full)
    return path


def check_looks(page, contrast=4.5):
    """Fail where the page is wider than its window, or a text that is seen has too little contrast."""
    assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
    assert [(text, ratio) for text, ratio in page.evaluate(CONTRASTS) if ratio < contrast] == []


# Every text that is seen, with its contrast against what lies below it there (WCAG 2, relative luminance).
CONTRASTS = """() => {
    const parse = colour => {
        const found = colour.match(/^rgba?\\(([^)]+)\\)/);
        if (!found) return null;
        const [r, g, b, a = 1] = found[1].split(/[ ,/]+/).map(Number);
        return [r, g, b, a];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const luminance = colour => {
        const [r, g, b] = colour.map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const isDrawn = element => element instanceof SVGElement && !(element instanceof SVGSVGElement);
    const paint = element => {  // what an element covers the ground with
        const style = getComputedStyle(element);
        if (!isDrawn(element)) return parse(style.backgroundColor);
        return /^(rect|circle|ellipse|path|polygon)$/.test(element.tagName) ? parse(style.fill) : null;
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const results = [];
    for (let node; (node = walker.nextNode());) {
        const element = node.parentElement, text = node.textContent.trim();
        if (!text || /^(SCRIPT|STYLE)$/.test(element.tagName) || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const box = range.getBoundingClientRect();
        const x = box.x + box.width / 2, y = box.y + box.height / 2;
        if (box.width < 2 || x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) continue;
        const stack = document.elementsFromPoint(x, y);
        const place = stack.findIndex(e => e === element || e.contains(element));
        if (place < 0) continue;  // covered, clipped, or scrolled away
        let ground = [255, 255, 255, 1];
        for (const below of stack.slice(place).reverse()) {
            const colour = below === element && isDrawn(element) ? null : paint(below);
            if (colour) ground = over(colour, ground);
        }
        const style = getComputedStyle(element), ink = parse(isDrawn(element) ? style.fill : style.color);
        if (!ink) continue;
        const [low, high] = [luminance(over(ink, ground)), luminance(ground)].sort((a, b) => a - b);
        results.push([text.slice(0, 40), Math.round((high + 0.05) / (low + 0.05) * 100) / 100]);
    }
    return results;
}"""
