"""What bandit finds, one thing a line; `expect` names our rule, or - where we say nothing on purpose."""
import commands  # expect: python2-name
import ftplib  # expect: clear-protocol
import hashlib
import logging.config
import marshal
import os
import pickle
import random
import shelve
import socket
import ssl
import subprocess
import subprocess as sp
import tarfile
import telnetlib  # expect: clear-protocol
import tempfile
import urllib.request
import zipfile
import xml.etree.ElementTree as ET
import xml.sax
from os import popen as run_in_shell
from xml.dom import minidom, pulldom

import jinja2
import jwt
import lxml.etree
import paramiko
import requests
import torch
import yaml
from Crypto.Cipher import DES, Blowfish  # expect: dead-library
from Crypto.Hash import MD5
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from django.db.models.expressions import RawSQL
from django.utils.safestring import mark_safe
from flask import Flask
from mako.template import Template
from pysnmp.hlapi import CommunityData, UsmUserData

app = Flask(__name__)


def run(text, name, mode):
    exec(text)  # expect: exec-call
    eval(text)  # expect: eval-call
    os.chmod(name, 0o777)  # expect: open-permissions
    os.chmod(name, 0o710)  # expect: open-permissions
    os.chmod(name, 0o640)
    os.chmod(name, mode)
    tempfile.mktemp()  # expect: tmp-race
    os.tempnam()  # expect: tmp-race
    pickle.loads(text)  # expect: pickle-load
    pickle.Unpickler(name)  # expect: pickle-load
    marshal.load(name)  # expect: pickle-load
    shelve.open(name)  # expect: pickle-load
    torch.load(name)  # expect: pickle-load
    torch.load(name, weights_only=True)
    tarfile.open(name).extractall(name)  # expect: archive-extract
    tarfile.open(name).extractall(name, filter="data")
    zipfile.ZipFile(name).extractall(name)
    logging.config.listen(9999)  # expect: open-logging


def shell(text, client):
    os.system(text)  # expect: shell-command
    run_in_shell(text)  # expect: shell-command
    subprocess.call(text, shell=True)  # expect: shell-command
    sp.Popen(text, shell=True)  # expect: shell-command
    subprocess.run(["/bin/ls", text])
    subprocess.run(text, shell=False)
    text.anything(text, shell=True)  # expect: shell-command
    commands.getoutput(text)  # expect: shell-command
    os.system("/bin/tar cf x.tar *")  # expect: shell-command, wildcard-command
    subprocess.Popen("/bin/chown me *", shell=True)  # expect: shell-command, wildcard-command
    paramiko.SSHClient().exec_command(text)  # expect: shell-command
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # expect: ssh-any-host
    client.set_missing_host_key_policy(paramiko.RejectPolicy())


def wire(url, host):
    requests.get(url)  # expect: no-timeout
    requests.get(url, timeout=5)
    requests.post(url, timeout=5, verify=False)  # expect: no-tls-check
    urllib.request.urlopen(url)  # expect: url-scheme
    urllib.request.urlopen("https://example.org/")
    ssl._create_unverified_context()  # expect: no-tls-check
    ssl._create_default_https_context = ssl._create_unverified_context  # expect: no-tls-check
    ssl.wrap_socket(host, ssl_version=ssl.PROTOCOL_SSLv3)  # expect: old-tls
    ssl.wrap_socket(host)  # expect: old-tls
    ssl.SSLContext(ssl.PROTOCOL_TLSv1)  # expect: old-tls
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    socket.socket().bind(("0.0.0.0", 80))  # expect: bind-all
    socket.socket().bind(("127.0.0.1", 80))
    app.run(debug=True)  # expect: debug-server
    app.run(debug=False)
    CommunityData("public", mpModel=0)  # expect: weak-snmp
    UsmUserData("me", "key")  # expect: weak-snmp
    jwt.decode(url, options={"verify_signature": False})  # expect: jwt-unverified


def old(version=ssl.PROTOCOL_SSLv2):  # expect: old-tls
    return version


def crypto(text):
    hashlib.md5(text)  # expect: weak-hash
    hashlib.sha1(text)  # expect: weak-hash
    hashlib.sha256(text)
    hashlib.md5(text, usedforsecurity=False)
    hashlib.new("md5")  # expect: weak-hash
    hashlib.new("sha256")
    MD5.new()  # expect: weak-hash
    DES.new(text)  # expect: weak-cipher
    Blowfish.new(text)  # expect: weak-cipher
    algorithms.ARC4(text)  # expect: weak-cipher
    modes.ECB()  # expect: weak-cipher
    random.random()  # expect: weak-random
    random.choice(text)  # expect: weak-random
    random.SystemRandom().choice(text)
    dsa.generate_private_key(1024)  # expect: short-key
    rsa.generate_private_key(65537, key_size=1024)  # expect: short-key
    rsa.generate_private_key(65537, 4096)
    ec.generate_private_key(ec.SECT163K1)  # expect: short-key


def read(text, name):
    yaml.load(text)  # expect: yaml-load
    yaml.load(text, Loader=yaml.SafeLoader)
    yaml.safe_load(text)
    ET.parse(name)  # expect: xml-parse
    minidom.parseString(text)  # expect: xml-parse
    pulldom.parse(name)  # expect: xml-parse
    xml.sax.make_parser()  # expect: xml-parse
    lxml.etree.fromstring(text)  # expect: xml-parse
    open("/tmp/shop.txt")  # expect: tmp-path
    mark_safe(text)  # expect: mark-safe
    mark_safe("<b>bold</b>")
    jinja2.Environment()  # expect: no-escape
    jinja2.Environment(autoescape=True)
    jinja2.Environment(autoescape=False)  # expect: no-escape
    Template(text)  # expect: no-escape


def sql(cursor, name, orders):
    cursor.execute("select * from orders where name = '%s'" % name)  # expect: sql-by-text
    cursor.execute("select * from orders where name = '" + name + "'")  # expect: sql-by-text
    cursor.execute("delete from orders where name = '{}'".format(name))  # expect: sql-by-text
    cursor.execute(f"update orders set name = '{name}'")  # expect: sql-by-text
    cursor.execute("select * from orders where name = %s", [name])
    cursor.execute("select * from orders " "where open")
    print_it("You can select one of %s from the list" % name)
    orders.extra(where=[name])  # expect: sql-by-text
    orders.extra(where=["open = 1"])
    RawSQL(name, [])  # expect: sql-by-text
    RawSQL("select 1 from orders where a = %s", [name])


def print_it(text):
    assert text  # expect: assert-guard
    try:
        return text.strip()
    except Exception:  # expect: swallowed-error
        pass
    for one in text:
        try:
            one.close()
        except Exception:  # expect: swallowed-error
            continue
    return None


def login(password="s3cr3t!"):  # expect: password-in-code
    token = "q8Zk-3vT1-xY7w"  # expect: password-in-code
    if password == "hunter22":  # expect: password-in-code
        return token
    sign(password="open2sesame")  # expect: password-in-code
    settings["db_password"] = "tr0ub4dor"  # expect: password-in-code
    password_url = "/accounts/reset"
    token_type = "Bearer"
    field = {"password": "Enter your password here", "token": "", "secret": "{{ vault }}"}
    return password_url, token_type, field
