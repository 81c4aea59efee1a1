import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { follow, signedFor } from "./proof";

const sha = (prefix: number, ...parts: Buffer[]) =>
  createHash("sha256")
    .update(Buffer.concat([Buffer.from([prefix]), ...parts]))
    .digest();

/** The root of RFC 6962, section 2.1, and the path of one leaf, made the slow way. */
function tree(leaves: Buffer[], of: number): { root: Buffer; path: Buffer[] } {
  if (leaves.length === 1) return { root: leaves[0] as Buffer, path: [] };
  let cut = 1;
  while (cut * 2 < leaves.length) cut *= 2;
  const left = tree(leaves.slice(0, cut), of < cut ? of : 0);
  const right = tree(leaves.slice(cut), of < cut ? 0 : of - cut);
  const root = sha(1, left.root, right.root);
  return of < cut ? { root, path: [...left.path, right.root] } : { root, path: [...right.path, left.root] };
}

const proofOf = (size: number, seq: number) => {
  const records = Array.from({ length: size }, (_, at) => `{"seq":${at}}`);
  const { root, path } = tree(
    records.map((record) => sha(0, Buffer.from(record))),
    seq,
  );
  return {
    seq,
    record: records[seq] as string,
    hashes: path.map((hash) => hash.toString("base64")),
    checkpoint: `log\n${size}\n${root.toString("base64")}\n\n— log sig\n`,
  };
};

describe("a proof", () => {
  it("leads every entry of trees of every shape to their root", async () => {
    for (let size = 1; size <= 17; size++) {
      for (let seq = 0; seq < size; seq++)
        expect((await follow(proofOf(size, seq))).good, `${seq} of ${size}`).toBe(true);
    }
  });
  it("does not fit another entry, another place or another log", async () => {
    const proof = proofOf(7, 3);
    expect((await follow({ ...proof, record: `${proof.record} ` })).good).toBe(false);
    expect((await follow({ ...proof, seq: 4 })).good).toBe(false);
    expect((await follow({ ...proof, hashes: proof.hashes.slice(1) })).good).toBe(false);
    await expect(follow({ ...proof, seq: 7 })).rejects.toThrow();
    await expect(follow({ ...proof, hashes: [...proof.hashes, ...proof.hashes] })).rejects.toThrow();
    await expect(follow({ ...proof, checkpoint: "nothing" })).rejects.toThrow();
  });
  it("covers the personal part, which may be missing", async () => {
    const salt = Buffer.alloc(16, 7);
    const personal = '{"actor":"zoë"}';
    const sum = createHash("sha256").update(salt).update(personal).digest("base64");
    const record = `{"v":2,"seq":0,"personal":"${sum}"}`;
    const leaf = sha(0, Buffer.from(record));
    const proof = { seq: 0, record, hashes: [], checkpoint: `log\n1\n${leaf.toString("base64")}\n\n— log sig\n` };
    expect((await follow(proof)).good).toBe(true);
    expect((await follow({ ...proof, personal, salt: salt.toString("base64") })).good).toBe(true);
    expect((await follow({ ...proof, personal: '{"actor":"bob"}', salt: salt.toString("base64") })).good).toBe(false);
    expect((await follow({ ...proof, personal })).good).toBe(false);
  });
  it("reads what is signed for", () => {
    expect(signedFor("a\n3\nroot\n")).toEqual({ size: 3, root: "root" });
    expect(signedFor("a\nx\n")).toBeNull();
  });
});
