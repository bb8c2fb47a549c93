import mailbox as standard
import os
import tempfile

from django.core.mail import EmailMessage

from shop.test_case import ShopTestCase

from .mailbox import EmailBackend
from .mailer import money, notify
from .models import Notification


class Letters(ShopTestCase):
    def test_a_mail_server_that_is_away_is_written_down(self):
        with self.settings(EMAIL_BACKEND='django.core.mail.backends.smtp.EmailBackend', EMAIL_HOST='127.0.0.1', EMAIL_PORT=1):
            with self.assertLogs('notifications.mailer', 'WARNING'), self.captureOnCommitCallbacks(execute=True):
                note = notify(self.user, 'welcome')
        note.refresh_from_db()
        self.assertEqual(note.status, Notification.FAILED)

    def test_inbox_marks_as_read(self):
        notify(self.user, 'welcome')
        self.client.force_login(self.user)
        self.assertContains(self.client.get('/messages/'), 'WELCOME10')
        self.assertFalse(Notification.objects.filter(read_at=None).exists())

    def test_money_in_letters(self):
        self.assertEqual(money(1205), '12,05 EUR')

    def test_mbox(self):
        with tempfile.TemporaryDirectory() as folder, self.settings(EMAIL_FILE_PATH=os.path.join(folder, 'sub', 'box')):
            for subject in ('one', 'zwölf'):
                EmailBackend().send_messages([EmailMessage(subject, 'a\nFrom b\nc', 'x@tests.example', ['y@tests.example'])])
            box = standard.mbox(os.path.join(folder, 'sub', 'box'))
            self.addCleanup(box.close)
            letters = list(box)
            self.assertEqual(len(letters), 2)
            self.assertIn('>From b', letters[0].get_payload())
