"""A mail server for one machine: every letter is appended to an mbox file."""
import fcntl
import mailbox
import os

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages):
        path = str(settings.EMAIL_FILE_PATH)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'ab') as box:
            fcntl.flock(box, fcntl.LOCK_EX)
            for message in email_messages:
                text = mailbox.mboxMessage(message.message())
                box.write(b'From %s\n' % text.get_from().encode() + text.as_bytes().replace(b'\nFrom ', b'\n>From ') + b'\n\n')
        return len(email_messages)
