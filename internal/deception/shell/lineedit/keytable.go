package lineedit

// keyTable lists the functions keys can be bound to, in the order bind shows
// them, and the keys of a Debian 12 bash: emacs mode, vi command mode, vi insert
// mode, as `bind -p` of a real one told with TERM=xterm-256color and Debian's
// /etc/inputrc. A blank key is \s, a bar \x7c.
const keyTable = `
abort|\C-g \C-x\C-g \e\C-g|\C-g|
accept-line|\C-j \C-m|\C-j \C-m|\C-j \C-m
alias-expand-line
arrow-key-prefix
backward-byte
backward-char|\C-b \eOD \e[D|\C-h \eOD \e[D h|\eOD \e[D
backward-delete-char|\C-h \C-?||\C-h \C-?
backward-kill-line|\C-x\C-?||
backward-kill-word|\e\C-h \e\C-?||
backward-word|\e\e[D \e[1;3D \e[1;5D \e[5D \eb|\e[1;3D \e[1;5D|\e[1;3D \e[1;5D
beginning-of-history|\e<||
beginning-of-line|\C-a \eOH \e[1~ \e[H|\eOH \e[H 0|\eOH \e[H
bracketed-paste-begin|\e[200~||\e[200~
call-last-kbd-macro|\C-xe||
capitalize-word|\ec||
character-search|\C-]||
character-search-backward|\e\C-]||
clear-display|\e\C-l||
clear-screen|\C-l|\C-l|
complete|\C-i \e\e\000||\C-i
complete-command|\e!||
complete-filename|\e/||
complete-hostname|\e@||
complete-into-braces|\e{||
complete-username|\e~||
complete-variable|\e$||
copy-backward-word
copy-forward-word
copy-region-as-kill
dabbrev-expand
delete-char|\C-d \e[3~|\e[3~|\e[3~
delete-char-or-list
delete-horizontal-space|\e\\||
digit-argument|\e- \e0 \e1 \e2 \e3 \e4 \e5 \e6 \e7 \e8 \e9||
display-shell-version|\C-x\C-v||
do-lowercase-version
downcase-word|\el||
dump-functions
dump-macros
dump-variables
dynamic-complete-history|\e\C-i||
edit-and-execute-command|\C-x\C-e||
emacs-editing-mode
end-kbd-macro|\C-x)||
end-of-history|\e>||
end-of-line|\C-e \eOF \e[4~ \e[F|\eOF \e[F $|\eOF \e[F
exchange-point-and-mark|\C-x\C-x||
fetch-history
forward-backward-delete-char
forward-byte
forward-char|\C-f \eOC \e[C|\eOC \e[C \s l|\eOC \e[C
forward-search-history|\C-s|\C-s|\C-s
forward-word|\e\e[C \e[1;3C \e[1;5C \e[5C \ef|\e[1;3C \e[1;5C|\e[1;3C \e[1;5C
glob-complete-word|\eg||
glob-expand-word|\C-x*||
glob-list-expansions|\C-xg||
history-and-alias-expand-line
history-expand-line|\e^||
history-search-backward|\e[5~|\e[5~|\e[5~
history-search-forward|\e[6~|\e[6~|\e[6~
history-substring-search-backward
history-substring-search-forward
insert-comment|\e#|#|
insert-completions|\e*||
insert-last-argument|\e. \e_||
kill-line|\C-k|\C-k|
kill-region
kill-whole-line
kill-word|\e[3;5~ \ed|\e[3;5~|\e[3;5~
magic-space
menu-complete|||\C-n
menu-complete-backward|||\C-p
next-history|\C-n \eOB \e[B|\C-n \eOB \e[B + j|\eOB \e[B
next-screen-line
non-incremental-forward-search-history|\en||
non-incremental-forward-search-history-again
non-incremental-reverse-search-history|\ep||
non-incremental-reverse-search-history-again
old-menu-complete
operate-and-get-next|\C-o||
overwrite-mode||\e[2~|\e[2~
possible-command-completions|\C-x!||
possible-completions|\e= \e?||
possible-filename-completions|\C-x/||
possible-hostname-completions|\C-x@||
possible-username-completions|\C-x~||
possible-variable-completions|\C-x$||
previous-history|\C-p \eOA \e[A|\C-p \eOA \e[A - k|\eOA \e[A
previous-screen-line
print-last-kbd-macro
quoted-insert|\C-q \C-v \e[2~|\C-q \C-v|\C-v
re-read-init-file|\C-x\C-r||
redraw-current-line
reverse-search-history|\C-r|\C-r|\C-r
revert-line|\e\C-r \er|U|
self-insert
set-mark|\C-@ \e\s||
shell-backward-kill-word
shell-backward-word|\e\C-b||
shell-expand-line|\e\C-e||
shell-forward-word|\e\C-f||
shell-kill-word|\e\C-d||
shell-transpose-words|\e\C-t||
skip-csi-sequence
spell-correct-word|\C-xs||
start-kbd-macro|\C-x(||
tab-insert
tilde-expand|\e&||
transpose-chars|\C-t|\C-t|\C-t
transpose-words|\et||
tty-status
undo|\C-x\C-u \C-_||
universal-argument
unix-filename-rubout
unix-line-discard|\C-u|\C-u|\C-u
unix-word-rubout|\C-w||
upcase-word|\eu||
vi-append-eol||A|
vi-append-mode||a|
vi-arg-digit||1 2 3 4 5 6 7 8 9|
vi-bWord
vi-back-to-indent
vi-backward-bigword
vi-backward-word
vi-bword
vi-change-case||~|
vi-change-char||r|
vi-change-to||C c|
vi-char-search||, ; F T f t|
vi-column||\x7c|
vi-complete
vi-delete||x|
vi-delete-to||D d|
vi-eWord
vi-edit-and-execute-command||v|
vi-editing-mode
vi-end-bigword
vi-end-word||E e|
vi-eof-maybe||\C-d|\C-d
vi-eword
vi-fWord
vi-fetch-history||G|
vi-first-print||^|
vi-forward-bigword
vi-forward-word
vi-fword
vi-goto-mark||\x60|
vi-insert-beg||I|
vi-insertion-mode||i|
vi-match||%|
vi-movement-mode|||\e\000
vi-next-word||W w|
vi-overstrike
vi-overstrike-delete
vi-prev-word||B b|
vi-put||P p|
vi-redo||.|
vi-replace||R|
vi-rubout||X|
vi-search||/ ?|
vi-search-again||N n|
vi-set-mark||m|
vi-subst||S s|
vi-tilde-expand||&|
vi-undo||\C-_ u|\C-_
vi-unix-word-rubout||\C-w|\C-w
vi-yank-arg||_|
vi-yank-pop
vi-yank-to||Y y|
yank|\C-y|\C-y|\C-y
yank-last-arg|\e. \e_||
yank-nth-arg|\e\C-y||
yank-pop|\ey||
`
