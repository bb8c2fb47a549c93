# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for one run of the plays, and contexts that trust it."""
import pathlib
import ssl
import subprocess

NAMES = {
    "shop": ["DNS:shop.test", "DNS:localhost", "IP:127.0.0.1"],
    "wild": ["DNS:*.wild.test"],
    "other": ["DNS:other.test"],
}


def openssl(*words, text=None):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, input=text, text=True)


class Certificates:
    """ca.pem; shop.pem and shop-key.pem, wild.pem ..., other.pem ... in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = self.folder / "ca.pem"
        ca_key = self.folder / "ca-key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-subj", "/CN=plays", "-keyout", ca_key, "-out", self.ca)
        for name, names in NAMES.items():
            key, request, extensions = (self.folder / f"{name}{tail}" for tail in ("-key.pem", ".csr", ".ext"))
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", f"/CN={name}", "-keyout", key, "-out", request)
            extensions.write_text(f"subjectAltName={','.join(names)}\n")
            openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "30",
                    "-extfile", extensions, "-out", self.certificate(name))

    def certificate(self, name="shop"):
        return self.folder / f"{name}.pem"

    def key(self, name="shop"):
        return self.folder / f"{name}-key.pem"

    def yaml(self, name="shop"):
        """As the configuration wants it."""
        return f'{{ certificate: "{self.certificate(name)}", key: "{self.key(name)}" }}'

    def trust(self, *alpn, version=None):
        """What a client needs."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def serve(self, name="shop", *alpn):
        """What a server needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate(name), self.key(name))
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context
