// The OpenID Connect provider of the tests: the npm package oidc-provider on
// loopback, with people who need no password. It prints one line of JSON with its
// issuer when it is ready, and reads its settings from the variable OIDC_TEST:
// {client_id, client_secret, redirect_uri}.
//
// A sign-in goes on by the query login=NAME of the sign-in page, so that a test
// needs no browser; and by a cookie login=NAME, so that a browser has nothing to type.

import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const set = JSON.parse(process.env.OIDC_TEST);

const people = {
  ann: { name: "Ann Miller", preferred_username: "ann", email: "ann@corp.example", email_verified: true, groups: ["soc-admins"] },
  bob: { name: "Bob", preferred_username: "bob", email: "bob@corp.example", email_verified: false, groups: ["soc"] },
  eve: { name: "Eve", preferred_username: "eve", email: "eve@evil.example", email_verified: true, groups: ["sales"] },
};

// The port has to be known before the provider is made: the issuer names it.
const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: set.client_id,
      client_secret: set.client_secret,
      redirect_uris: [set.redirect_uri],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  scopes: ["openid", "profile", "email"],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username", "groups"] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  async loadExistingGrant(ctx) {
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
server.on("request", async (req, res) => {
  const url = new URL(req.url, issuer);
  if (!url.pathname.startsWith("/interaction/")) {
    answer(req, res);
    return;
  }
  try {
    const who = url.searchParams.get("login") ?? /\blogin=(\w+)/.exec(req.headers.cookie ?? "")?.[1];
    const result = people[who] ? { login: { accountId: who } } : { error: "access_denied", error_description: "nobody of that name" };
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  } catch (err) {
    res.statusCode = 500;
    res.end(String(err));
  }
});

process.stdin.resume(); // ends with the test, however that ends
process.stdin.on("end", () => process.exit(0));
console.log(JSON.stringify({ issuer }));
