/* SPDX-License-Identifier: Apache-2.0
 *
 * The modules of Python's own library, 2.7 to 3.14, by their first name. One text that is searched: it is asked once an import. */
#include "audit/links_names.h"

#include <string.h>

static const char names[] =
	" "
	"BaseHTTPServer Bastion CGIHTTPServer Carbon ConfigParser Cookie DocXMLRPCServer HTMLParser "
	"MimeWriter Queue SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tkinter UserDict "
	"UserList UserString __builtin__ __future__ _thread _typeshed _winreg abc aifc annotationlib "
	"antigravity anydbm argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb "
	"binascii binhex bisect builtins bz2 cPickle cProfile cStringIO calendar cgi cgitb chunk "
	"cmath cmd code codecs codeop collections colorsys commands compileall compiler compression "
	"concurrent configparser contextlib contextvars cookielib copy copy_reg copyreg crypt csv "
	"ctypes curses dataclasses datetime dbhash dbm decimal difflib dircache dis distutils "
	"doctest dumbdbm dummy_thread dummy_threading email encodings ensurepip enum errno "
	"exceptions faulthandler fcntl filecmp fileinput fnmatch formatter fpformat fractions ftplib "
	"functools future_builtins gc gdbm genericpath getopt getpass gettext glob graphlib grp gzip "
	"hashlib heapq hmac hotshot html htmlentitydefs htmllib http httplib idlelib ihooks imaplib "
	"imghdr imp importlib imputil inspect io ipaddress itertools json keyword lib2to3 linecache "
	"locale logging lzma macpath mailbox mailcap marshal math md5 mhlib mimetools mimetypes "
	"mimify mmap modulefinder msilib msvcrt multifile multiprocessing mutex netrc new nis "
	"nntplib nt ntpath nturl2path numbers opcode operator optparse os os2emxpath ossaudiodev "
	"parser pathlib pdb pickle pickletools pipes pkgutil platform plistlib popen2 poplib posix "
	"posixfile posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data "
	"pyexpat queue quopri random re readline repr reprlib resource rexec rfc822 rlcompleter "
	"robotparser runpy sched secrets select selectors sets sgmllib sha shelve shlex shutil "
	"signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants "
	"sre_parse ssl stat statistics statvfs string stringold stringprep struct subprocess sunau "
	"sunaudio symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios "
	"textwrap this thread threading time timeit tkMessageBox tkinter toaiff token tokenize "
	"tomllib trace traceback tracemalloc ttk tty turtle turtledemo types typing unicodedata "
	"unittest urllib urllib2 urlparse user uu uuid venv warnings wave weakref webbrowser whichdb "
	"winreg winsound wsgiref xdrlib xml xmlrpc xmlrpclib zipapp zipfile zipimport zlib zoneinfo ";

enum { NAME_MOST = 64 };

bool links_names_is_standard(Str top)
{
	char word[NAME_MOST + 2] = " ";

	if (!top.len || top.len >= NAME_MOST)
		return false;
	memcpy(word + 1, top.at, top.len);
	word[top.len + 1] = ' ';
	return memmem(names, sizeof(names) - 1, word, top.len + 2) != NULL;
}
