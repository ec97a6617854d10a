// What the classic snippet loads from /analytics.js/v1/KEY/analytics.min.js: Segment's browser SDK, asking the server
// that this file came from for its settings.

import { install } from "@segment/analytics-next/dist/pkg/browser/standalone-analytics";
import { setVersionType } from "@segment/analytics-next/dist/pkg/lib/version-type";

interface Queue {
  _cdn?: string;
  _writeKey?: string;
}

const PATH = "/analytics.js/v1/";
const script = (document.currentScript ?? document.querySelector(`script[src*="${PATH}"]`)) as HTMLScriptElement | null;
const [server, rest] = (script?.src ?? "").split(PATH);
const page = window as unknown as { analytics?: Queue };
const queue: Queue = page.analytics ?? (page.analytics = [] as unknown as Queue);

if (server && rest) {
  queue._cdn ??= server;
  queue._writeKey ??= decodeURIComponent(rest.split("/")[0]);
}
setVersionType("web");
void install();
