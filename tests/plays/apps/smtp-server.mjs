// SPDX-License-Identifier: Apache-2.0
// npm's smtp-server as a mail server that does as it is told, and mailparser to read what it got. An address says what is to be done with it:
//   later.N@   451 to its first N RCPTs        never@    550 5.1.1          policy@  550 5.7.1
//   full@      452 to the mail                 drop.N@   takes the mail and hangs up before the answer, N times
//   hold@      answers the mail when a line comes on stdin
// One JSON object a line: { "ready": port } first, then a mail each as it was taken, before its answer.
import { createRequire } from "node:module";
const require = createRequire(new URL("../../../package.json", import.meta.url));
const { SMTPServer } = require("smtp-server");
const { simpleParser } = require("mailparser");
const fs = require("node:fs");

const options = JSON.parse(process.argv[2] || "{}");
const seen = new Map();
const waiting = [];
process.stdin.on("data", () => waiting.splice(0).forEach((go) => go()));

function tell(value) {
  process.stdout.write(JSON.stringify(value) + "\n");
}

function refusal(code, text) {
  return Object.assign(new Error(text), { responseCode: code });
}

function times(address) {
  const local = address.split("@")[0];
  seen.set(address, (seen.get(address) || 0) + 1);
  return seen.get(address) <= Number(local.split(".")[1] || 1);
}

function named(session, word) {
  return session.envelope.rcptTo.map((to) => to.address).find((address) => address.startsWith(word));
}

const server = new SMTPServer({
  secure: !!options.direct,
  authOptional: !options.auth,
  disabledCommands: options.tls ? [] : ["STARTTLS"],
  hideSTARTTLS: !options.tls,
  hidePIPELINING: !!options.slowly,
  authMethods: options.auth ? options.auth : ["PLAIN", "LOGIN"],
  allowInsecureAuth: true,
  key: options.tls && fs.readFileSync(options.tls.key),
  cert: options.tls && fs.readFileSync(options.tls.cert),
  onAuth(auth, session, callback) {
    const secret = auth.password || auth.accessToken;
    return auth.username === "shop" && secret === "open sesame" ? callback(null, { user: auth.username }) :
      callback(refusal(535, "5.7.8 no"));
  },
  onRcptTo(address, session, callback) {
    const to = address.address;
    if (to.startsWith("later.") && times(to)) return callback(refusal(451, "4.2.0 come again"));
    if (to.startsWith("never")) return callback(refusal(550, "5.1.1 no such user"));
    if (to.startsWith("policy")) return callback(refusal(550, "5.7.1 not with me"));
    return callback();
  },
  onData(stream, session, callback) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", async () => {
      const raw = Buffer.concat(chunks);
      const mail = await simpleParser(raw);
      if (named(session, "full")) return callback(refusal(452, "4.2.2 full"));
      tell({
        from: session.envelope.mailFrom && session.envelope.mailFrom.address,
        to: session.envelope.rcptTo.map((to) => to.address), raw: raw.toString("base64"), id: mail.messageId, subject: mail.subject,
        text: mail.text, html: mail.html, files: mail.attachments.map((file) => [file.filename, file.content.toString("base64")]),
        secure: session.secure, user: session.user || null, session: session.id, number: session.transaction,
      });
      const drop = named(session, "drop.");
      if (drop && times(drop)) return [...server.connections].find((one) => one.session.id === session.id)._socket.destroy();
      if (named(session, "hold")) return waiting.push(() => callback(null, "2.0.0 at last"));
      return callback(null, "2.0.0 taken");
    });
  },
});
server.on("error", (error) => process.stderr.write(`${error.message}\n`));
server.listen(options.port || 0, "127.0.0.1", () => tell({ ready: server.server.address().port }));
