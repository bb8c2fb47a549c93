# SPDX-License-Identifier: Apache-2.0
"""A Flask application whose users log in: its session is Flask's own, a signed cookie."""
from flask import Flask, jsonify, request, session

app = Flask(__name__)
app.secret_key = "flask-secret"


@app.post("/login")
def login():
    session["_user_id"] = request.form["user"]
    session["cart"] = ["apple"] * 40  # large enough to be compressed
    return "welcome"


@app.get("/whoami")
def whoami():
    if "_user_id" not in session:
        return jsonify(error="nobody"), 401
    return jsonify(user={"id": session["_user_id"]})
