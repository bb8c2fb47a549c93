# SPDX-License-Identifier: Apache-2.0
"""People of the demo's second act: they sign up at the shop by the gateway, buy something, and are remembered with their passwords."""
import http.cookiejar
import json
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request

from programs import Problem

TIMEOUT_S = 30
PASSWORD = "Mend-it-4-ever"
FORM = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
ORDER = {"address": {"name": "Mel Ler", "street": "Mill Lane 2", "city": "Berlin", "postcode": "10115", "country": "DE"},
         "card": {"number": "4242424242424242", "expiry": "12/39", "cvc": "123"}}


class Customer:
    def __init__(self, url):
        self.url, self.name = url, "m" + secrets.token_hex(6)
        self.email = f"{self.name}@demo.example"
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def ask(self, method, path, body=None, **headers):
        request = urllib.request.Request(self.url + path, body, {"Referer": self.url + path, **headers}, method=method)
        try:
            with self.opener.open(request, timeout=TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode(errors="replace")
        except OSError as error:
            raise Problem(f"{method} {path} was not answered: {error}") from None

    def tell(self, method, path, value):
        token = next((cookie.value for cookie in self.jar if cookie.name == "csrftoken"), "")
        status, text = self.ask(method, path, json.dumps(value).encode(), **{"Content-Type": "application/json", "X-CSRFToken": token})
        if status not in (200, 201):
            raise Problem(f"{method} {path} was answered {status}: {text[:300]}")
        return json.loads(text) if text else None

    def sign_up(self):
        form = FORM.search(self.ask("GET", "/signup/")[1])
        fields = {"csrfmiddlewaretoken": form[1] if form else "", "username": self.name, "email": self.email,
                  "password1": PASSWORD, "password2": PASSWORD}
        status, text = self.ask("POST", "/signup/", urllib.parse.urlencode(fields).encode())
        if status != 200 or "/logout/" not in text:
            raise Problem(f"the shop did not take {self.name} as a customer ({status})")

    def buy(self):
        product = json.loads(self.ask("GET", "/api/v1/products?sort=new")[1])["results"][0]["id"]
        self.tell("POST", "/api/v1/cart/items", {"product_id": product, "quantity": 1})
        self.tell("POST", "/api/v1/checkout", ORDER)
