"""Makes a user pool's key: a JSON Web Key Set with its private exponent beside, in the file that is named."""

import base64
import json
import random
import sys


def prime(bits):
    while True:
        n = random.getrandbits(bits) | 3 << (bits - 2) | 1
        if all(n % small for small in (3, 5, 7, 11, 13, 17, 19, 23)) and all(
                pow(random.randrange(2, n - 1), n - 1, n) == 1 for _ in range(8)):
            return n


def coded(number):
    return base64.urlsafe_b64encode(number.to_bytes(256, "big")).rstrip(b"=").decode()


while True:
    p, q = prime(1024), prime(1024)
    if (p - 1) * (q - 1) % 65537:
        break
d = pow(65537, -1, (p - 1) * (q - 1))
key = {"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": coded(p * q), "e": "AQAB", "d": coded(d)}
with open(sys.argv[1], "w") as file:
    json.dump({"keys": [key]}, file)
