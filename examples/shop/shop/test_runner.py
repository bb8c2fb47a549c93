"""Django's runner, and the folder of uploads goes away with it."""
import shutil

from django.conf import settings
from django.test.runner import DiscoverRunner


class Runner(DiscoverRunner):
    def teardown_test_environment(self, **kwargs):
        super().teardown_test_environment(**kwargs)
        shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
