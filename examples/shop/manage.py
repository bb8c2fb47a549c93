#!/usr/bin/python3
"""Django's command line for the shop."""
import os
import sys


def main():
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit('manage.py: Django is missing. Install python3-django and use /usr/bin/python3.')
    execute_from_command_line(sys.argv)


if __name__ == '__main__':
    main()
