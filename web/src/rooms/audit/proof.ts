/** Proofs of inclusion (RFC 6962): the way from one entry to what the log signs for, followed in this browser. */

export interface Proof {
  seq: number;
  record: string;
  /** Base64; with the personal part it gives what the entry commits to. */
  salt?: string;
  personal?: string;
  hashes: string[];
  checkpoint: string;
}

export interface Followed {
  leaf: string;
  root: string;
  signed: string;
  size: number;
  good: boolean;
}

const bytes = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
const base64 = (data: Uint8Array): string => btoa(String.fromCharCode(...data));

async function hash(prefix: number, ...parts: Uint8Array[]): Promise<Uint8Array> {
  const whole = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0));
  whole[0] = prefix;
  let at = 1;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

/** Reads the size and the root a checkpoint signs for: its second and third line. */
export function signedFor(checkpoint: string): { size: number; root: string } | null {
  const lines = checkpoint.split("\n");
  const size = Number(lines[1]);
  const root = lines[2] ?? "";
  return Number.isSafeInteger(size) && size > 0 && root !== "" ? { size, root } : null;
}

/** Whether the personal part is the one the entry commits to; one that was removed is not there to be wrong. */
async function fits(proof: Proof): Promise<boolean> {
  if (!proof.personal) return true;
  const said: unknown = JSON.parse(proof.record);
  const salt = bytes(proof.salt ?? "");
  const text = new TextEncoder().encode(proof.personal);
  const whole = new Uint8Array(salt.length + text.length);
  whole.set(salt);
  whole.set(text, salt.length);
  const sum = base64(new Uint8Array(await crypto.subtle.digest("SHA-256", whole)));
  return typeof said === "object" && said !== null && "personal" in said && said.personal === sum;
}

/** Follows a proof; throws where it is no proof at all. */
export async function follow(proof: Proof): Promise<Followed> {
  const signed = signedFor(proof.checkpoint);
  if (!signed || proof.seq < 0 || proof.seq >= signed.size) throw new Error("the checkpoint does not reach the entry");
  const leaf = await hash(0, new TextEncoder().encode(proof.record));
  let place = proof.seq;
  let last = signed.size - 1;
  let root = leaf;
  for (const step of proof.hashes) {
    if (last === 0) throw new Error("the proof is too long");
    const other = bytes(step);
    if (place % 2 === 1 || place === last) {
      root = await hash(1, other, root);
      while (place % 2 === 0 && place !== 0) {
        place = Math.floor(place / 2);
        last = Math.floor(last / 2);
      }
    } else {
      root = await hash(1, root, other);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  const found = base64(root);
  return {
    leaf: base64(leaf),
    root: found,
    signed: signed.root,
    size: signed.size,
    good: last === 0 && found === signed.root && (await fits(proof)),
  };
}
