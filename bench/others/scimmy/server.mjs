// SCIMMY with its Express routers over maps in memory: PORT=8080 node server.mjs

import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

/** The handlers of a resource type whose resources differ in one attribute. */
function inMemory(unique) {
  const resources = new Map();
  const names = new Map();
  return {
    ingress(resource, data) {
      const { id = randomUUID() } = resource;
      const name = data[unique].toLowerCase();
      if ((names.get(name) ?? id) !== id) {
        throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} is taken`);
      }
      const before = resources.get(id);
      const now = new Date();
      if (before) names.delete(before[unique].toLowerCase());
      const kept = JSON.parse(JSON.stringify(data));
      const after = { ...kept, id, meta: { created: before?.meta.created ?? now, lastModified: now } };
      names.set(name, id);
      resources.set(id, after);
      return after;
    },
    egress(resource) {
      if (resource.id) {
        const found = resources.get(resource.id);
        if (!found) throw new SCIMMY.Types.Error(404, null, "not found");
        return found;
      }
      const all = [...resources.values()];
      return resource.filter ? resource.filter.match(all) : all;
    },
    degress(resource) {
      const found = resources.get(resource.id);
      if (!found) throw new SCIMMY.Types.Error(404, null, "not found");
      names.delete(found[unique].toLowerCase());
      resources.delete(resource.id);
    },
  };
}

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false), inMemory("userName"));
SCIMMY.Resources.declare(SCIMMY.Resources.Group, inMemory("displayName"));

const handler = (request) => {
  if (request.header("authorization") !== "Bearer bench") throw new Error("who is this?");
  return "bench";
};
const app = express();
app.use("/scim", new SCIMMYRouters({ type: "bearer", handler }));
app.listen(Number(process.env.PORT), "127.0.0.1");
