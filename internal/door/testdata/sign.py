#!/usr/bin/env python3
"""Tokens signed by PyJWT and by Authlib, for door_test.go. They never expire: the tests choose the time.

Usage: python3 -m venv v && v/bin/pip install pyjwt[crypto]==2.10.1 authlib==1.6.5 && v/bin/python sign.py > python.json
"""

import base64
import json
import warnings

warnings.simplefilter("ignore")
import jwt
from authlib.jose import JsonWebSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives import serialization

NOW = 1795170000
ISSUER = "https://acme.okta.com"
CLAIMS = {
    "/logout": ("global-token-revocation+jwt", {"iss": ISSUER, "sub": "0oa1", "aud": "https://doors.example.com/logout", "jti": "a", "iat": NOW,
                                                "nbf": NOW - 300, "exp": NOW + 300}),
    "/ssf": ("secevent+jwt", {"iss": ISSUER, "aud": ["clientvpn/1"], "jti": "b", "iat": NOW, "sub_id": {"format": "email", "email": "alice@example.com"},
                              "events": {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}}),
    "/google": ("JWT", {"iss": ISSUER, "sub": "push", "aud": "vpn", "iat": NOW, "exp": NOW + 3600}),
}


def main():
    keys = {"RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048), "ES256": ec.generate_private_key(ec.SECP256R1())}
    keys["PS384"] = keys["RS256"]
    jwks = {"keys": [dict(public(key), kid=alg, use="sig") for alg, key in keys.items()]}
    tokens = []
    for path, (typ, claims) in CLAIMS.items():
        for alg, key in keys.items():
            header = {"typ": typ, "kid": alg}
            tokens.append({"by": "PyJWT", "path": path, "token": jwt.encode(claims, key, algorithm=alg, headers=header)})
            pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            made = JsonWebSignature().serialize_compact(dict(header, alg=alg), json.dumps(claims).encode(), pem)
            tokens.append({"by": "Authlib", "path": path, "token": made.decode()})
    print(json.dumps({"at": NOW, "jwks": jwks, "tokens": tokens}, indent=1))


def public(key):
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        return {"kty": "RSA", "n": text(numbers.n, 256), "e": text(numbers.e, 3)}
    return {"kty": "EC", "crv": "P-256", "x": text(numbers.x, 32), "y": text(numbers.y, 32)}


def text(number, length):
    return base64.urlsafe_b64encode(number.to_bytes(length, "big")).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
