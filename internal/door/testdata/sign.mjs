// Tokens signed by the npm package jose, for door_test.go. They never expire: the tests choose the time.
// Usage: npm install jose@6.1.0 && node sign.mjs > npm.json
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const now = 1795170000, iss = "https://acme.okta.com";
const forms = {
  "/logout": ["global-token-revocation+jwt", { iss, sub: "0oa1", aud: "https://doors.example.com/logout", jti: "a", iat: now, nbf: now - 300, exp: now + 300 }],
  "/ssf": ["secevent+jwt", {
    iss, aud: "clientvpn/1", jti: "b", iat: now, sub_id: { format: "email", email: "alice@example.com" },
    events: { "https://schemas.openid.net/secevent/risc/event-type/account-disabled": {} },
  }],
  "/google": ["JWT", { iss, sub: "push", aud: "vpn", iat: now, exp: now + 3600 }],
};
const keys = [], tokens = [];
for (const alg of ["RS256", "ES384", "EdDSA"]) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  keys.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: "sig" });
  for (const [path, [typ, claims]] of Object.entries(forms)) {
    const token = await new SignJWT(claims).setProtectedHeader({ alg, typ, kid: alg }).sign(privateKey);
    tokens.push({ by: "jose (npm)", path, token });
  }
}
console.log(JSON.stringify({ at: now, jwks: { keys }, tokens }, null, 1));
