"""The shop's black-box tests against any URL where it answers, straight or through a gateway.

    /usr/bin/python3 examples/shop/tests_http --url http://127.0.0.1:8000 [--json] [PATTERN ...]

The last line is `N passed, N failed`; the exit code is 0 when all passed, 1 when not, 2 when the shop does not answer.
"""
import argparse
import json
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class Result(unittest.TestResult):
    """Counts tests, not subtests; prints a line for each."""

    def __init__(self, quiet):
        super().__init__()
        self.quiet, self.rows, self.started, self.wrong = quiet, [], 0, {}

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def note(self, test, text):
        self.wrong.setdefault(test.id(), []).append(text)

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, self._exc_info_to_string(err, test))
        if not isinstance(test, unittest.TestCase):     # setUpClass
            self.close(test, 0)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.note(test, '%s\n%s' % (subtest, self._exc_info_to_string(err, test)))

    def stopTest(self, test):
        super().stopTest(test)
        self.close(test, time.monotonic() - self.started)

    def close(self, test, seconds):
        wrong = self.wrong.get(test.id())
        self.rows.append({'test': test.id(), 'passed': not wrong, 'seconds': round(seconds, 3), 'why': '\n'.join(wrong or [])})
        if not self.quiet:
            print('%s %s (%.2f s)' % ('FAIL' if wrong else 'ok  ', test.id(), seconds), flush=True)
            if wrong:
                print('\n'.join(wrong), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--url', default=os.environ.get('SHOP_URL'), help='where the shop answers (or SHOP_URL)')
    parser.add_argument('--json', action='store_true', help='one JSON object instead of lines')
    parser.add_argument('--insecure', action='store_true', help='accept any certificate')
    parser.add_argument('pattern', nargs='*', help='only tests whose name contains one of these')
    args = parser.parse_args()
    if not args.url:
        parser.error('--url or SHOP_URL, please')
    os.environ['SHOP_URL'] = args.url
    if args.insecure:
        os.environ['SHOP_INSECURE'] = '1'
    sys.path.insert(0, HERE)
    from browser import Browser
    try:
        answer = Browser().get('/healthz')
    except OSError as error:
        print('tests_http: %s does not answer: %s. Start it with examples/shop/run.' % (args.url, error), file=sys.stderr)
        return 2
    if answer.status != 200:
        print('tests_http: %s/healthz says %d.' % (args.url, answer.status), file=sys.stderr)
        return 2
    loader = unittest.TestLoader()
    if args.pattern:
        loader.testNamePatterns = ['*%s*' % pattern for pattern in args.pattern]
    suite, result, started = loader.discover(HERE), Result(args.json), time.monotonic()
    suite.run(result)
    failed = sum(not row['passed'] for row in result.rows)
    passed = len(result.rows) - failed
    if args.json:
        print(json.dumps({'url': args.url, 'passed': passed, 'failed': failed, 'seconds': round(time.monotonic() - started, 3),
                          'tests': result.rows}, indent=1))
    else:
        print('%d passed, %d failed' % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
