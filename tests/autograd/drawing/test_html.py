"""Pages: complete in themselves, whatever their data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.drawing.html import embedded_json, html_page
from tests.browser import LOOKS, check_looks, screenshot

BODY = '<main><h1>Title</h1><p id="shown"></p><button>Run</button></main>'
SCRIPT = """
document.getElementById("shown").append(make("span", {class: "text"}, data.text));
const told = "</script><!-- ";
"""
HOSTILE = [
    "</script><script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "<!-- <script>",
    "]]>&amp;&lt;",
    "`${1}` ' \" \\ \u2028\u2029\x00\x1b",
    "\ud800 alone",
    "יש 😀 ́",
]


@pytest.fixture
def written(tmp_path):
    def write(data, **options):
        path = tmp_path / "page.html"
        path.write_text(
            html_page("A < B", BODY, ".text { color: var(--derivative); }", SCRIPT, data, **options), "utf-8"
        )
        return path

    return write


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_page_fits_its_window_and_can_be_read_in_light_and_dark(written, open_page, width, scheme):
    page = open_page(written({"text": "a text"}), width=width, scheme=scheme)
    assert page.title() == "A < B"
    assert page.inner_text("#shown") == "a text"
    check_looks(page)
    screenshot(page, "html")


def test_data_is_text_whatever_it_says(written, open_page):
    page = open_page(written({"text": ""}))
    for text in HOSTILE:
        page.goto(written({"text": text}).as_uri())
        assert page.title() == "A < B"
        shown = page.evaluate("Array.from(document.querySelector('.text').textContent, c => c.codePointAt(0))")
        assert shown == [ord(c) for c in text]
        assert page.locator(".text *").count() == 0
        assert page.evaluate("told") == "</script><!-- "


def test_a_page_loads_nothing(written, browser):
    page = browser.new_page()
    told = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(written({"text": ""}).as_uri())
    page.evaluate("document.body.append(make('img', {src: 'https://example.org/x.png'}))")
    page.wait_for_function("document.querySelector('img').complete")
    page.close()
    assert "Content Security Policy" in told[0]


def test_pictures_are_shown_where_the_page_asks_for_them(written, open_page):
    page = open_page(written({"text": ""}, images=True))
    page.evaluate(
        'document.body.append(make(\'img\', {src: \'data:image/svg+xml,<svg width="7" height="7" xmlns="http://www.w3.org/2000/svg"/>\'}))'
    )
    page.wait_for_function("document.querySelector('img').complete")
    assert page.evaluate("document.querySelector('img').naturalWidth") == 7


@given(st.text())
def test_embedded_json_never_ends_its_element(text):
    found = embedded_json([text])
    assert found.isascii()
    assert "<" not in found


@pytest.mark.parametrize("data", [float("nan"), [float("inf")], {1, 2}])
def test_what_is_no_json_is_refused(data):
    with pytest.raises((ValueError, TypeError)):
        html_page("", "", "", "", data)
