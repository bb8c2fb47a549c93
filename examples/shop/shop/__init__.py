VERSION = '3.14.2'
NEXT_VERSION = '3.15.0'         # README.md, "The next release"
