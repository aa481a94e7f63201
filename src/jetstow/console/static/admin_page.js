// @ts-check
/** The pages of administration: keys, health, activity. */
import {html} from "./vendor/preact.js";
import {session} from "./api.js";
import {HealthPage} from "./health.js";
import {HistoryPage} from "./history.js";
import {KeysPage} from "./access_keys.js";
import {Link, paths} from "./router.js";
import {useStore} from "./store.js";
import {Empty} from "./ui.js";

/** @param {{tab: string}} props */
export function AdminPage({tab}) {
  const isAdmin = useStore(session)?.admin ?? false;
  if (tab === "health") return html`<${HealthPage} />`;
  if (tab !== "keys" && tab !== "history") {
    return html`<div class="page"><${Empty} page title="There is no page at this address"><p><${Link} href=${paths.buckets()}>Show all buckets<//></p><//></div>`;
  }
  if (!isAdmin) {
    return html`<div class="page"><${Empty} page title="This page is for administrators" icon="lock">
      <p>Your key has no <code>admin = true</code> in the key file of the gateway.</p><//></div>`;
  }
  return tab === "keys" ? html`<${KeysPage} />` : html`<${HistoryPage} />`;
}
