package bundle

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/client"
)

// custodyItem is the item with the chain of custody.
const custodyItem = "custody.jsonl"

// seal verifies who made an archive: the proof that the audit log has the hash of
// its manifest, the certificate of the key, and the signature.
func (a *opened) seal(c Check) {
	text := a.document(sealName, maxSeal)
	if text == nil {
		return
	}
	s, err := decode[Seal](text)
	if err != nil {
		a.find(Fault{Object: sealName, Line: lineOf(err), Why: err.Error()})
		return
	}
	bad := func(field, format string, args ...any) {
		a.find(Fault{Object: sealName, Field: field, Why: fmt.Sprintf(format, args...)})
	}
	if s.Format != sealFormat {
		bad("format", "%.40q; this program reads %s", s.Format, sealFormat)
		return
	}
	if s.Manifest != a.ID {
		bad("manifest", "it is the seal of another manifest, or the manifest was changed")
	}
	a.AuditKey = s.AuditKey
	key := strings.TrimSpace(c.Key)
	if a.KeyGiven = key != ""; !a.KeyGiven {
		key = s.AuditKey
		a.Notes = append(a.Notes, "who made it was taken from the archive itself: give the public key of the deployment (--key audit.pub) to be sure that it was them")
	} else if key != s.AuditKey {
		bad("audit_key", "it is not the key that was given: another deployment made this, or somebody in its name")
	}
	point := a.proven("proof", s.Proof, key, actSeal, "bundle:"+a.ID)
	a.proven("key_proof", s.KeyProof, key, actCertify, "evidence-key:"+s.Key)
	a.signed(s, bad)
	if a.Audit = s.Proof.Seq; point != nil {
		a.Origin, a.Entries = point.Origin, point.Size
		a.against(*point, c, key)
	}
}

// proven checks that an entry of the audit log says what is wanted.
func (a *opened) proven(field string, p audit.Proof, key, action, object string) *audit.Checkpoint {
	e, point, err := audit.CheckProof(p, key)
	if err != nil {
		a.find(Fault{Object: sealName, Field: field, Why: err.Error()})
		return nil
	}
	if e.Action != action || e.Object != object {
		a.find(Fault{Object: sealName, Field: field + ".record", Why: "it proves an entry about something else"})
	}
	return &point
}

func (a *opened) signed(s Seal, bad func(field, format string, args ...any)) {
	pub, err := audit.FromBase64(s.Key)
	if err != nil || len(pub) != ed25519.PublicKeySize {
		bad("key", "it is no public key")
		return
	}
	sig, err := audit.FromBase64(s.Signature)
	if err != nil || len(sig) != ed25519.SignatureSize {
		bad("signature", "it is no signature")
		return
	}
	if !ed25519.Verify(pub, s.signedText(), sig) {
		bad("signature", "it does not hold: the seal was changed after it was signed")
	}
}

// against compares the checkpoint of an archive with what others kept.
func (a *opened) against(point audit.Checkpoint, c Check, key string) {
	if len(c.Against) == 0 {
		a.Notes = append(a.Notes, "no checkpoint kept elsewhere was given (--against): that the audit log was not put back later is not shown")
		return
	}
	bad := func(format string, args ...any) {
		a.find(Fault{Object: sealName, Field: "proof.checkpoint", Why: fmt.Sprintf(format, args...)})
	}
	var grown client.AuditConsistency
	if json.Unmarshal(c.Against, &grown) == nil && grown.Checkpoint.Note != "" {
		newer, err := audit.OpenCheckpoint([]byte(grown.Checkpoint.Note), key)
		if err == nil {
			err = audit.CheckConsistency(point, newer, grown.Hashes)
		}
		if err != nil {
			bad("it is not of the beginning of the log that was given: %v", err)
			return
		}
		a.Witnessed = true
		return
	}
	kept, err := audit.ReadCheckpoints(bytes.NewReader(c.Against), key)
	if err != nil || len(kept.List) == 0 {
		bad("what was given to compare with: %s", kept.Nothing())
		return
	}
	if kept.Altered > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("%d of the checkpoints given to compare with are not as they were written: changed, or cut short", kept.Altered))
	}
	for _, k := range kept.List {
		switch {
		case k.Size != point.Size:
		case k.Root != point.Root:
			bad("a checkpoint kept elsewhere says otherwise: with %d entries the log had another root", k.Size)
			return
		default:
			a.Witnessed = true
		}
	}
	if !a.Witnessed {
		bad("nobody kept a checkpoint of %d entries: compare with the answer of the deployment's /api/v1/audit/consistency?from=%d instead", point.Size, point.Size)
	}
}

// custody checks that the steps of the chain follow from one another.
func (a *opened) custody(it *Item) {
	if it == nil {
		a.fault(manifestName, "it names no %s", custodyItem)
		return
	}
	path := objectPath(it.SHA256)
	i, ok := a.byRef[path]
	if !ok || a.all[i].sum != it.SHA256 {
		return // told already
	}
	in := bufio.NewReaderSize(io.NewSectionReader(a.r, a.all[i].at, a.all[i].size), 64<<10)
	n := 0
	var before honeyguide.CustodyStep
	for {
		line, err := nextLine(in)
		if err == io.EOF {
			break
		}
		n++
		var s honeyguide.CustodyStep
		if err == nil {
			err = json.Unmarshal(line, &s)
		}
		field, why := s.Follows(&before)
		if err != nil {
			field, why = "", jsonWhy(err)
		}
		if why != "" {
			a.find(Fault{Object: a.label(path, it.Name), Line: n, Field: field, Why: why})
			return
		}
		before = s
	}
	if int64(n) != it.Records {
		a.find(Fault{Object: a.label(path, it.Name), Why: fmt.Sprintf("it has %d steps, the manifest says %d", n, it.Records)})
	}
}
