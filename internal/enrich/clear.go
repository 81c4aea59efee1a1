package enrich

import (
	"honeyguide"
)

// reserved are the attributes that only this room writes.
var reserved = func() map[string]bool {
	set := map[string]bool{}
	for _, name := range []string{
		honeyguide.AttrEnrichments, honeyguide.AttrFeeds,
		honeyguide.AttrSrcCity, honeyguide.AttrSrcAsset, honeyguide.AttrSrcOwner, honeyguide.AttrSrcRole, honeyguide.AttrSrcCriticality, honeyguide.AttrSrcZone,
		honeyguide.AttrDstCity, honeyguide.AttrDstAsset, honeyguide.AttrDstOwner, honeyguide.AttrDstRole, honeyguide.AttrDstCriticality, honeyguide.AttrDstZone,
	} {
		set[name] = true
	}
	return set
}()

// Clear takes from an event what only enrichment may say: a sensor process that
// was taken over, or a record from elsewhere, must not call an address benign.
func Clear(e *honeyguide.Event) {
	for name := range e.Attrs {
		if len(name) > 10 && (name[0] == 's' || name[0] == 'd' || name[0] == 'e' || name[0] == 't') && reserved[name] {
			delete(e.Attrs, name)
		}
	}
}
