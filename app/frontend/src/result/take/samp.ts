/**
 * A client of the SAMP Web Profile (IVOA SAMP 1.3 §5): hands a table's address to TOPCAT, Aladin and others that run on
 * the reader's computer. The hub listens there at a fixed port and asks the reader whether the page may connect.
 */

const HUB = "http://localhost:21012/";

/** No hub answers: none runs, or the browser keeps the page from it. */
export class NoHub extends Error {}
/** The hub answered that it will not. */
export class Refused extends Error {}

type XmlRpc = string | readonly XmlRpc[] | { readonly [name: string]: XmlRpc };

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A value of SAMP (text, list, map: there are no others) as XML-RPC. */
export function encoded(value: XmlRpc): string {
  if (typeof value === "string") return `<value><string>${escaped(value)}</string></value>`;
  if (Array.isArray(value)) return `<value><array><data>${value.map(encoded).join("")}</data></array></value>`;
  const members = Object.entries(value).map(([name, one]) => `<member><name>${escaped(name)}</name>${encoded(one)}</member>`);
  return `<value><struct>${members.join("")}</struct></value>`;
}

export function call(method: string, parameters: readonly XmlRpc[]): string {
  const params = parameters.map((one) => `<param>${encoded(one)}</param>`).join("");
  return `<?xml version="1.0"?><methodCall><methodName>${escaped(method)}</methodName><params>${params}</params></methodCall>`;
}

/** A node of XML, as far as this reader needs one: DOMParser's elements are such. */
interface XmlNode {
  readonly nodeName: string;
  readonly textContent: string | null;
  readonly children: ArrayLike<XmlNode>;
}

/** The value of an XML-RPC element `value`. */
export function decoded(value: XmlNode): XmlRpc {
  if (value.children.length === 0) return value.textContent ?? "";
  const inner = value.children[0];
  const child = (node: XmlNode | undefined, name: string): XmlNode | undefined => node && Array.from(node.children).find((one) => one.nodeName === name);
  if (inner.nodeName === "struct") {
    return Object.fromEntries(Array.from(inner.children).map((member) => {
      const held = child(member, "value");
      return [child(member, "name")?.textContent ?? "", held ? decoded(held) : ""];
    }));
  }
  if (inner.nodeName === "array") return Array.from(child(inner, "data")?.children ?? []).map(decoded);
  return inner.textContent ?? "";
}

async function asked(method: string, parameters: readonly XmlRpc[], signal: AbortSignal): Promise<XmlRpc> {
  let text: string;
  try {
    const response = await fetch(HUB, { method: "POST", headers: { "Content-Type": "text/plain" }, body: call(method, parameters), credentials: "omit", signal });
    text = await response.text();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new NoHub();
  }
  const document = new DOMParser().parseFromString(text, "text/xml");
  const fault = document.querySelector("methodResponse > fault > value");
  if (fault) throw new Refused(JSON.stringify(decoded(fault)));
  const value = document.querySelector("methodResponse > params > param > value");
  return value ? decoded(value) : "";
}

const isMap = (value: XmlRpc | undefined): value is Record<string, XmlRpc> => typeof value === "object" && !Array.isArray(value);

/**
 * Send a VOTable's address to every program that loads tables. Returns the names of those that were told.
 * Raises NoHub and Refused.
 */
export async function sendTable(url: string, name: string, page: string, signal: AbortSignal): Promise<string[]> {
  const registered = await asked("samp.webhub.register", [{ "samp.name": page }], signal);
  const key = isMap(registered) ? registered["samp.private-key"] : undefined;
  if (typeof key !== "string") throw new Refused();
  try {
    await asked("samp.webhub.declareMetadata", [key, { "samp.name": page }], signal);
    const readers = await asked("samp.webhub.getSubscribedClients", [key, "table.load.votable"], signal);
    const clients = isMap(readers) ? Object.keys(readers) : [];
    const told: string[] = [];
    for (const client of clients) {
      await asked("samp.webhub.notify", [key, client, { "samp.mtype": "table.load.votable", "samp.params": { url, name, "table-id": url } }], signal);
      const metadata = await asked("samp.webhub.getMetadata", [key, client], signal);
      const called = isMap(metadata) ? metadata["samp.name"] : undefined;
      told.push(typeof called === "string" && called ? called : client);
    }
    return told;
  } finally {
    // The hub forgets a page that does not say goodbye only when the program ends.
    void asked("samp.webhub.unregister", [key], AbortSignal.timeout(3000)).catch(() => undefined);
  }
}
