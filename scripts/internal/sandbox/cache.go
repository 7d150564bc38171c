package sandbox

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// request and response are those of GOCACHEPROG, see `go doc cmd/go/internal/cacheprog`. A body follows a put as a JSON string.
type request struct {
	ID       int64
	Command  string
	ActionID []byte
	OutputID []byte
	BodySize int64
}

type response struct {
	ID            int64
	Err           string     `json:",omitempty"`
	KnownCommands []string   `json:",omitempty"`
	Miss          bool       `json:",omitempty"`
	OutputID      []byte     `json:",omitempty"`
	Size          int64      `json:",omitempty"`
	Time          *time.Time `json:",omitempty"`
	DiskPath      string     `json:",omitempty"`
}

// layers is a build cache of two folders, both as the go command keeps its GOCACHE. What is in neither it writes into own. If copied, so it does
// with what it finds in shared alone.
type layers struct {
	shared, own string
	copied      bool
}

// copying stands before the name of a shared folder from which is copied.
const copying = "+"

// serveCache is a GOCACHEPROG.
func serveCache(shared, own string, in io.Reader, out io.Writer) error {
	c := layers{shared: shared, own: own}
	if rest, copied := strings.CutPrefix(shared, copying); copied {
		c.shared, c.copied = rest, true
	}
	w := bufio.NewWriter(out)
	answer := func(r response) error {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return err
		}
		return w.Flush()
	}
	if err := answer(response{KnownCommands: []string{"get", "put", "close"}}); err != nil {
		return err
	}
	d := json.NewDecoder(bufio.NewReader(in))
	for {
		var q request
		if err := d.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r := response{ID: q.ID}
		var err error
		switch q.Command {
		case "get":
			err = c.get(q, &r)
		case "put":
			var body []byte
			if q.BodySize > 0 {
				if err := d.Decode(&body); err != nil {
					return err
				}
			}
			err = c.put(q, bytes.NewReader(body), time.Now(), &r)
		case "close":
			return answer(r)
		}
		if err != nil {
			r = response{ID: q.ID, Err: err.Error()}
		}
		if err := answer(r); err != nil {
			return err
		}
	}
}

func file(folder string, id []byte, kind string) string {
	name := hex.EncodeToString(id)
	return filepath.Join(folder, name[:2], name+"-"+kind)
}

// get looks into own first, then into shared.
func (c layers) get(q request, r *response) error {
	if entry(c.own, q.ActionID, r) {
		return nil
	}
	if !entry(c.shared, q.ActionID, r) {
		r.Miss = true
		return nil
	}
	if !c.copied {
		return nil
	}
	body, err := os.Open(r.DiskPath)
	if err != nil {
		return err
	}
	defer body.Close()
	q.OutputID = r.OutputID
	return c.put(q, body, *r.Time, r)
}

// entry reads what a folder has of an action: a line "v1 action output size time". It says whether there is something.
func entry(folder string, action []byte, r *response) bool {
	text, err := os.ReadFile(file(folder, action, "a"))
	if err != nil {
		return false
	}
	var id, output string
	var size, when int64
	if n, err := fmt.Sscanf(string(text), "v1 %s %s %d %d\n", &id, &output, &size, &when); err != nil || n != 4 || id != hex.EncodeToString(action) {
		return false
	}
	bytes, err := hex.DecodeString(output)
	if err != nil || len(bytes) == 0 {
		return false
	}
	path := file(folder, bytes, "d")
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		return false
	}
	t := time.Unix(0, when)
	r.OutputID, r.Size, r.Time, r.DiskPath = bytes, size, &t, path
	return true
}

// put writes the output before the entry that names it, each under another name first: who reads meanwhile finds all or nothing.
func (c layers) put(q request, body io.Reader, when time.Time, r *response) error {
	path := file(c.own, q.OutputID, "d")
	size, err := write(path, body)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("v1 %x %x %20d %20d\n", q.ActionID, q.OutputID, size, when.UnixNano())
	if _, err := write(file(c.own, q.ActionID, "a"), bytes.NewReader([]byte(line))); err != nil {
		return err
	}
	r.OutputID, r.Size, r.Time, r.DiskPath = q.OutputID, size, &when, path
	return nil
}

func write(path string, body io.Reader) (size int64, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	size, err = io.Copy(f, body)
	_ = f.Chmod(0o644) // where it is refused, in a sandbox, nobody else reads it
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(f.Name(), path)
}
