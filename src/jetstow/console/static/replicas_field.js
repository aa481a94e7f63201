// @ts-check
/** The choice of how many servers store a bucket: what the NATS server of the gateway can do. */
import {html} from "./vendor/preact.js";
import {get} from "./api.js";
import {useLoad} from "./object_load.js";
import {Field} from "./ui.js";

const CHOICES = [1, 3, 5];

/** @param {{value: string, onInput: (value: string) => void, present?: number}} props `present` is offered in any case */
export function ReplicasField({value, onInput, present = 1}) {
  const {data} = useLoad((signal) => get("health", {}, signal), []);
  const most = mostReplicas(data?.server);
  const choices = [...new Set([...CHOICES, present])].sort((one, other) => one - other);
  const hint = most === 1
    ? "3 and 5 need a cluster of NATS servers. This is a single one."
    : most < 5 ? `The cluster has ${most} servers.` : "Servers of the cluster that store the bucket.";
  return html`<${Field} label="Replicas" as="select" value=${value} onInput=${onInput} hint=${hint}>
    ${choices.map((number) => html`<option key=${number} value=${String(number)} disabled=${number > most && number !== present}>${number}</option>`)}
  <//>`;
}

/**
 * How many servers can store a bucket. If that is not known, all choices are offered: the server refuses what it cannot do.
 * @param {{cluster: string|null, servers: number}|undefined} server as the health has it
 */
function mostReplicas(server) {
  if (!server) return Infinity;
  if (!server.cluster) return 1;
  return server.servers > 1 ? server.servers : Infinity; // a cluster may not advertise its servers
}
