"""What Python 2 left."""
from __future__ import print_function  # expect: python2-bridge
import six
import urllib2  # expect: python2-name
try:
    import ConfigParser
except ImportError:
    import configparser as ConfigParser


def old((a, b), c):  # expect: python2-syntax
    print "a"  # expect: python2-syntax
    exec "a = 1" in c  # expect: python2-syntax, exec-call
    if a <> b:  # expect: python2-syntax
        raise ValueError, "no"  # expect: python2-syntax
    try:
        return c.has_key(a), c.iteritems()  # expect: python2-name, python2-name
    except KeyError, e:  # expect: python2-syntax
        return unicode(e), xrange(3), 0777, 5L  # expect: python2-name, python2-name, python2-syntax, python2-syntax
    return isinstance(a, basestring), six.iteritems(c), reduce(old, c)  # expect: python2-name, python2-name
