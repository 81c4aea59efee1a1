/**
 * Writes addresses so that no program makes a link of them and nobody opens one
 * by accident: http://203.0.113.9/x becomes hxxp://203[.]0[.]113[.]9/x.
 */
import { safe } from "./safe";

export function defang(text: string): string {
  return safe(text)
    .replace(
      /\b(h)(tt)(ps?):\/\//gi,
      (_, h: string, tt: string, rest: string) => `${h}${tt === "TT" ? "XX" : "xx"}${rest}://`,
    )
    .replace(/\bftp:\/\//gi, "fxp://")
    .replace(/(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/g, "$1[.]$2[.]$3[.]$4")
    .replace(/([\p{L}\p{N}-])\.(?=[\p{N}-]*\p{L})/gu, "$1[.]")
    .replace(/@(?=[\p{L}\p{N}.-]+\[\.\])/gu, "[at]");
}
