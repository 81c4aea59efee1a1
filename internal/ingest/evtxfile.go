package ingest

// evtxMagic begins a Windows event log file.
const evtxMagic = "ElfFile\x00"

// newEvtx says that such files are not read yet.
func newEvtx(*window) (framer, framing, error) {
	return nil, "", refuse("the input is a Windows event log file: export it as XML or JSON first")
}
