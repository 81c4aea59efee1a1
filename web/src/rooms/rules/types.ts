/** What the API says about rules, and words of it. */
import type { components } from "../../api/schema";
import { number, percent } from "../../lib/i18n";
import { t } from "../../locale/rooms/rules";

type S = components["schemas"];
export type RuleInfo = S["Info"];
export type RuleText = S["RuleText"];
export type RulesStatus = S["RulesStatus"];
export type RuleFault = S["RuleFault"];
export type Backtest = S["Backtest"];
export type Explained = S["Explained"];

export interface Quality {
  name: string;
  source: string;
  n: number;
  true_positives: number;
  false_positives: number;
  benign: number;
  precision: { value: number; low: number; high: number };
}

/** Log sources have up to three parts. */
export const sourceOf = (rule: Pick<RuleInfo, "product" | "category" | "service">): string =>
  [rule.product, rule.category, rule.service].filter(Boolean).join("/");

export type RuleState = "on" | "off" | "unfed" | "hidden";
export const stateOf = (rule: RuleInfo): RuleState =>
  rule.off ? "off" : rule.hidden ? "hidden" : rule.fed ? "on" : "unfed";

/** The figure of a rule's verdicts; without any there is none. */
export const qualityText = (quality: Quality | undefined): string =>
  quality && quality.n > 0
    ? t("quality.text", { value: percent(quality.precision.value, 0), n: number(quality.n) })
    : t("quality.none");
