#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A mail server for the demo: takes every mail, appends it to a file (a JSON object a line: to whom, and the mail), and only then says so.
Usage: postoffice.py FILE. Prints `ready PORT`."""
import asyncio
import json
import sys


class Conversation:
    def __init__(self, out):
        self.out, self.to = out, []

    async def run(self, reader, writer):
        writer.write(b"220 post office\r\n")
        while True:
            line = await reader.readline()
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                self.keep(await self.message(reader))
                writer.write(b"250 2.0.0 kept\r\n")
            elif word == b"RCPT":
                self.to.append(line[line.index(b"<") + 1:line.index(b">")].decode())
                writer.write(b"250 2.1.5 fine\r\n")
            elif word == b"EHLO":
                writer.write(b"250-post office\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif word in (b"QUIT", b""):
                writer.write(b"221 2.0.0 bye\r\n")
                break
            else:
                self.to = []
                writer.write(b"250 2.0.0 fine\r\n")
        writer.close()

    async def message(self, reader):
        lines = []
        while True:
            line = await reader.readline()
            if line in (b".\r\n", b""):
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)

    def keep(self, mail):
        self.out.write(json.dumps({"to": self.to, "mail": mail.decode(errors="replace")}) + "\n")
        self.out.flush()
        self.to = []


async def main():
    with open(sys.argv[1], "a") as out:
        server = await asyncio.start_server(lambda reader, writer: Conversation(out).run(reader, writer), "127.0.0.1", 0)
        print("ready", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
