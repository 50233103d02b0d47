"""Code that the demos share. A demo is a file beside this folder; nothing in here is one."""
