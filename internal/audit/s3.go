package audit

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // Content-MD5 is what stores of objects ask for when an object is locked
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/safetext"
)

// S3 says where checkpoints are put as objects, one each, never the same name twice:
// a store that locks objects keeps them whatever the administrator of this machine does.
type S3 struct {
	URL       string            `yaml:"url" doc:"https://host of the store; with the bucket in the host, leave bucket empty"`
	Bucket    string            `yaml:"bucket" doc:"bucket, best one with object lock; the key needs no more than s3:PutObject"`
	Prefix    string            `yaml:"prefix" doc:"what names of objects begin with"`
	Region    string            `yaml:"region" doc:"region requests are signed for"`
	AccessKey string            `yaml:"access_key" doc:"id of the key"`
	SecretKey honeyguide.Secret `yaml:"secret_key" doc:"the key"`
	LockDays  int               `yaml:"lock_days" doc:"days for which nobody may remove an object (object lock, compliance mode); 0 = as the bucket says"`
}

var (
	bucketForm = regexp.MustCompile(`^$|^[a-z0-9][a-z0-9.-]{1,62}$`)
	prefixForm = regexp.MustCompile(`^([A-Za-z0-9._-]+/?)*$`)
	regionForm = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	accessForm = regexp.MustCompile(`^[A-Za-z0-9_-]{3,128}$`)
)

// Validate checks the settings; the error names the key below audit.s3.
func (s *S3) Validate() error {
	u, err := url.Parse(s.URL)
	var what string
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		what = "url: want https://host"
	case !bucketForm.MatchString(s.Bucket):
		what = "bucket: want the name of a bucket"
	case len(s.Prefix) > 200 || !prefixForm.MatchString(s.Prefix):
		what = "prefix: want letters, digits, dots, dashes and slashes, none at the beginning"
	case !regionForm.MatchString(s.Region):
		what = "region: want the name of a region, such as eu-central-1"
	case !accessForm.MatchString(s.AccessKey) || s.SecretKey == "":
		what = "access_key, secret_key: missing"
	case s.LockDays < 0 || s.LockDays > 36500:
		what = "lock_days: want 0 to 36500"
	default:
		return nil
	}
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "audit.s3." + what}
}

// A Put makes one PUT request and returns the status and the beginning of the answer.
type Put func(ctx context.Context, url string, header map[string]string, body []byte) (status int, answer []byte, err error)

// S3Witness puts checkpoints into a store of objects that speaks the protocol of S3,
// with requests signed as AWS Signature Version 4 has it.
func S3Witness(s S3, put Put, now func() time.Time) Witness { return &s3Witness{s, put, now} }

type s3Witness struct {
	S3
	put Put
	now func() time.Time
}

func (w *s3Witness) Name() string { return "s3 " + w.place() }

func (w *s3Witness) place() string {
	u, err := url.Parse(w.URL)
	if err != nil {
		return w.Bucket
	}
	return strings.TrimSuffix(u.Host+"/"+w.Bucket, "/")
}

// object is the name of a checkpoint: names sort as checkpoints follow one another,
// and another history of the same length has another name.
func (w *s3Witness) object(c *Checkpoint) string {
	return fmt.Sprintf("%s%s/%016d-%s.txt", w.Prefix, strings.ReplaceAll(c.Origin, "/", "-"), c.Size, hex.EncodeToString(c.Root[:8]))
}

// Keep puts one object.
func (w *s3Witness) Keep(ctx context.Context, c Checkpoint) error {
	path := "/" + w.object(&c)
	if w.Bucket != "" {
		path = "/" + w.Bucket + path
	}
	u, err := url.Parse(w.URL)
	if err != nil {
		return err
	}
	body := []byte(c.Line() + "\n")
	sum := md5.Sum(body) //nolint:gosec // see above
	at := w.now().UTC()
	header := map[string]string{
		"Content-Type": "text/plain; charset=utf-8", "Content-MD5": base64.StdEncoding.EncodeToString(sum[:]),
	}
	if w.LockDays > 0 {
		header["X-Amz-Object-Lock-Mode"] = "COMPLIANCE"
		header["X-Amz-Object-Lock-Retain-Until-Date"] = at.AddDate(0, 0, w.LockDays).Format(time.RFC3339)
	}
	w.sign(header, u.Host, path, body, at)
	status, answer, err := w.put(ctx, strings.TrimSuffix(w.URL, "/")+path, header, body)
	if err != nil {
		return fmt.Errorf("put the checkpoint to %s: %w", w.place(), err)
	}
	if status < 200 || status > 299 {
		return fmt.Errorf("put the checkpoint to %s: it answers %d: %s", w.place(), status, safetext.TermN(string(answer), 200))
	}
	return nil
}

// sign adds the headers of AWS Signature Version 4 to a PUT of a path that needs no
// encoding.
func (w *s3Witness) sign(header map[string]string, host, path string, body []byte, at time.Time) {
	stamp, day := at.Format("20060102T150405Z"), at.Format("20060102")
	payload := sha256.Sum256(body)
	header["X-Amz-Date"], header["X-Amz-Content-Sha256"] = stamp, hex.EncodeToString(payload[:])
	names := []string{"host"}
	for name := range header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	lower := map[string]string{"host": host}
	for name, value := range header {
		lower[strings.ToLower(name)] = value
	}
	var canonical strings.Builder
	canonical.WriteString("PUT\n" + path + "\n\n")
	for _, name := range names {
		canonical.WriteString(name + ":" + strings.TrimSpace(lower[name]) + "\n")
	}
	signed := strings.Join(names, ";")
	canonical.WriteString("\n" + signed + "\n" + hex.EncodeToString(payload[:]))
	scope := day + "/" + w.Region + "/s3/aws4_request"
	sum := sha256.Sum256([]byte(canonical.String()))
	key := []byte("AWS4" + w.SecretKey.Reveal())
	for _, part := range []string{day, w.Region, "s3", "aws4_request", "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hex.EncodeToString(sum[:])} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	header["Authorization"] = fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s", w.AccessKey, scope, signed, hex.EncodeToString(key))
}
