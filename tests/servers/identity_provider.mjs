// A real identity provider for tests: oidc-provider on a loopback port, whose people are what they type as their name.
// node identity_provider.mjs PORT CLIENT SECRET CALLBACK
import { Provider } from "oidc-provider";

const [port, client, secret, callback] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: client, client_secret: secret, redirect_uris: [callback] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  cookies: { keys: ["only for tests"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: `subject of ${id}`,
      email: id,
      email_verified: !id.startsWith("unverified"),
      name: id.split("@")[0],
      groups: id.split("@")[0].split("+").slice(1),
    }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
