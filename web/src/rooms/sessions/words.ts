/** What an event was about, in one line of its attributes. */

/** Attributes that tell most, in their order; the rest says how, not what. */
const TELLING = [
  "process.cmd_line",
  "http_request.http_method",
  "http_request.url",
  "url",
  "user.name",
  "auth.password",
  "file.path",
  "honeytoken.kind",
  "file.type",
  "file.size",
  "client.software",
  "client_hassh.value",
  "tls.ja4",
  "connection_info.protocol_name",
  "query",
  "duration_ms",
  "detail",
  "status_detail",
];

/** One line; attacker's text is in it. */
export function tell(attrs: Record<string, unknown> | null | undefined): string {
  if (!attrs) return "";
  const parts: string[] = [];
  for (const name of TELLING) {
    const value = attrs[name];
    if (value === undefined || value === null || value === "") continue;
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    if (name === "connection_info.protocol_name" && parts.length > 0) continue;
    parts.push(
      name === "auth.password"
        ? `/ ${text}`
        : name === "duration_ms"
          ? `${text} ms`
          : name === "file.size"
            ? `${text} B`
            : text,
    );
  }
  return parts.join(" ");
}
