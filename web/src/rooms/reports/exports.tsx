/** Rows of a span as files. */
import { useState } from "react";
import { save } from "../../api/save";
import { t } from "../../locale/rooms/reports";
import { Button } from "../../widgets/button";
import { done, failed } from "../../widgets/toast";
import type { Span } from "./span";

const LISTS = ["incidents", "alerts", "sessions", "attackers", "events", "blocks"] as const;
type List = (typeof LISTS)[number];

export function Exports({ span }: { span: Span }) {
  const [busy, setBusy] = useState("");
  const take = async (list: List, format: "csv" | "jsonl") => {
    setBusy(`${list} ${format}`);
    try {
      const query = list === "blocks" ? { format } : { format, from: span.from, to: span.to };
      await save(`honeyguide-${list}.${format}`, `/${list}/export`, query);
      done(t("exports.done"));
    } catch (problem) {
      failed(t("exports.failed"), problem, () => void take(list, format));
    } finally {
      setBusy("");
    }
  };
  return (
    <section className="reports-part">
      <p className="muted">{t("exports.text")}</p>
      <ul>
        {LISTS.map((list) => (
          <li key={list} className="reports-line">
            <span className="grow">
              {t(`exports.${list}`)}{" "}
              {list === "blocks" ? <span className="meta">{t("exports.blocks.text")}</span> : null}
            </span>
            {(["csv", "jsonl"] as const).map((format) => (
              <Button
                key={format}
                busy={busy === `${list} ${format}`}
                disabled={busy !== ""}
                aria-label={`${t(`exports.${list}`)} ${format}`}
                onClick={() => void take(list, format)}
              >
                {format === "csv" ? "CSV" : "JSONL"}
              </Button>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
