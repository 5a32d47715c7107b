// Posts events as the vendors' own libraries sign them: a line of JSON each on stdin,
// {library, secret, signs?, body, id, url, ca}, and on stdout the status of each.
// `signs` is what is signed in place of the body that is sent.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { createInterface } from "node:readline";

import { sign as signGithub } from "@octokit/webhooks-methods";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { Stripe } from "stripe";

const stripe = new Stripe("sk_test_of_nobody");

const libraries = {
  standardwebhooks({ secret, id }, body, now) {
    return {
      "webhook-id": id,
      "webhook-timestamp": Math.floor(now / 1000),
      "webhook-signature": new StandardWebhook(secret).sign(id, new Date(now), body),
    };
  },
  svix({ secret, id }, body, now) {
    return {
      "svix-id": id,
      "svix-timestamp": Math.floor(now / 1000),
      "svix-signature": new SvixWebhook(secret).sign(id, new Date(now), body),
    };
  },
  stripe({ secret }, body, now) {
    return {
      "Stripe-Signature": stripe.webhooks.generateTestHeaderString({
        payload: body,
        secret,
        timestamp: Math.floor(now / 1000),
      }),
    };
  },
  async github({ secret, id }, body) {
    return {
      "X-GitHub-Delivery": id,
      "X-Hub-Signature-256": await signGithub(secret, body),
    };
  },
};

function post(url, ca, headers, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST", ca: readFileSync(ca), headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const headers = await libraries[order.library](order, order.signs ?? order.body, order.now);
  headers["content-type"] = "application/json";
  console.log(await post(order.url, order.ca, headers, order.body));
}
