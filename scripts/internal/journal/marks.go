package journal

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"whyhow/scripts/internal/gotest"
)

// Mark is what a student's file for a kata is worth.
type Mark struct {
	Student, Name string
	Kata          string
	Hash          string    // SHA-256 of the file; "" if there is none
	Submitted     time.Time // zero if it is not known
	Note          string    // what was wrong with the submission; "" if nothing was
	Judges        string    // hash of all that judged
	Seed          uint64    // of the hidden tests
	Graded        time.Time
	Walls         string // which stood: "gate, bubblewrap, channel"
	Score, Max    int
	Report        *gotest.Report
	Correction    *Correction // a mark set by hand, which counts instead; nil if there is none
}

// Correction is a mark that was set by hand.
type Correction struct {
	Score  int
	Reason string
	Made   time.Time
}

// Counts is the score that counts.
func (m *Mark) Counts() int {
	if m.Correction != nil {
		return m.Correction.Score
	}
	return m.Score
}

// AddMarks records the marks of one student, and that they are what counts, all or none of them. sources are the texts of the files, by their hashes.
func (j *Journal) AddMarks(marks []Mark, sources map[string][]byte) error {
	return j.write(func(tx *sql.Tx) error {
		for hash, text := range sources {
			if err := addSource(tx, hash, text); err != nil {
				return err
			}
		}
		for _, m := range marks {
			if err := addMark(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func addSource(tx *sql.Tx, hash string, text []byte) error {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	_, err := tx.Exec("INSERT OR IGNORE INTO source (sha256, text) VALUES (?, ?)", hash, packed.Bytes())
	return err
}

func addMark(tx *sql.Tx, m Mark) error {
	report, err := json.Marshal(m.Report)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO student (student, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name", m.Student, m.Name); err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT OR IGNORE INTO mark (student, kata, sha256, judges, seed, graded, walls, score, max, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		m.Student, m.Kata, m.Hash, m.Judges, int64(m.Seed), m.Graded.UnixMilli(), m.Walls, m.Score, m.Max, string(report)); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO handed (student, kata, sha256, submitted, note, mark)
		SELECT student, kata, sha256, ?, ?, id FROM mark WHERE student = ? AND kata = ? AND sha256 = ? AND judges = ? AND seed = ?
		ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, submitted = excluded.submitted, note = excluded.note, mark = excluded.mark`,
		milliseconds(m.Submitted), m.Note, m.Student, m.Kata, m.Hash, m.Judges, int64(m.Seed))
	return err
}

func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(milliseconds int64) time.Time {
	if milliseconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds)
}

const selectMark = `SELECT mark.student, COALESCE(student.name, ''), mark.kata, mark.sha256, mark.judges, mark.seed, mark.graded, mark.walls, mark.score, mark.max, mark.report`

// Judged returns a mark that the same file got from the same judges with the same seed, whoever handed it in; nil if it was not judged so.
func (j *Journal) Judged(kata, hash, judges string, seed uint64) (*Mark, error) {
	var found *Mark
	err := j.rows(selectMark+`, 0, '' FROM mark LEFT JOIN student USING (student) WHERE kata = ? AND sha256 = ? AND judges = ? AND seed = ? ORDER BY id LIMIT 1`,
		func(scan func(...any) error) (err error) {
			found, err = scanMark(scan)
			return err
		}, kata, hash, judges, int64(seed))
	return found, err
}

func scanMark(scan func(...any) error) (*Mark, error) {
	m := new(Mark)
	var report string
	var seed, graded, submitted int64
	if err := scan(&m.Student, &m.Name, &m.Kata, &m.Hash, &m.Judges, &seed, &graded, &m.Walls, &m.Score, &m.Max, &report, &submitted, &m.Note); err != nil {
		return nil, err
	}
	m.Seed, m.Graded, m.Submitted = uint64(seed), instant(graded), instant(submitted)
	m.Report = new(gotest.Report)
	return m, json.Unmarshal([]byte(report), m.Report)
}

// Marks returns the marks that count, by student and kata, with what was set by hand.
func (j *Journal) Marks() ([]*Mark, error) {
	type key struct{ student, kata string }
	corrections := map[key]*Correction{}
	err := j.rows("SELECT student, kata, score, reason, made FROM correction ORDER BY made, id", func(scan func(...any) error) error {
		var k key
		var made int64
		c := new(Correction)
		if err := scan(&k.student, &k.kata, &c.Score, &c.Reason, &made); err != nil {
			return err
		}
		c.Made = instant(made)
		corrections[k] = c
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []*Mark
	err = j.rows(selectMark+`, handed.submitted, handed.note FROM handed JOIN mark ON mark.id = handed.mark JOIN student ON student.student = handed.student ORDER BY mark.student, mark.kata`,
		func(scan func(...any) error) error {
			m, err := scanMark(scan)
			if err == nil {
				m.Correction = corrections[key{m.Student, m.Kata}]
				all = append(all, m)
			}
			return err
		})
	return all, err
}

// Correct sets a mark by hand.
func (j *Journal) Correct(student, kata string, c Correction) error {
	return j.write(func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO correction (student, kata, score, reason, made) VALUES (?, ?, ?, ?, ?)", student, kata, c.Score, c.Reason, c.Made.UnixMilli())
		return err
	})
}

// Seed returns the number from which the seeds of hidden tests come, and keeps fresh's as that where there was none.
func (j *Journal) Seed(fresh func() uint64) (seed uint64, err error) {
	err = j.write(func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT OR IGNORE INTO seed (only, value) VALUES (1, ?)", int64(fresh())); err != nil {
			return err
		}
		return tx.QueryRow("SELECT value FROM seed").Scan(&seed)
	})
	return seed, err
}

// Source returns the text of a file that was handed in; nil if the journal does not have it.
func (j *Journal) Source(hash string) ([]byte, error) {
	var packed []byte
	err := j.db.QueryRow("SELECT text FROM source WHERE sha256 = ?", hash).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(j.Path, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, explain(j.Path, err)
	}
	return io.ReadAll(z)
}

// Merge takes over the marks of another journal and returns how many are new. Of two that count for a student and a kata the one that was graded last does;
// in any order and twice it comes to the same.
func (j *Journal) Merge(path string) (marks int, err error) {
	theirs, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if mine, err := os.Stat(j.Path); err == nil && os.SameFile(mine, theirs) {
		return 0, nil // SQLite would wait for itself
	}
	other, err := Open(path) // brought up to date, if need be
	if err != nil {
		return 0, err
	}
	if err := other.Close(); err != nil {
		return 0, err
	}
	if _, err := j.db.Exec("ATTACH DATABASE ? AS other", other.Path); err != nil {
		return 0, explain(path, err)
	}
	defer func() {
		_, failed := j.db.Exec("DETACH DATABASE other")
		err = errors.Join(err, failed)
	}()
	err = j.write(func(tx *sql.Tx) error {
		if _, err := tx.Exec(`
			INSERT OR IGNORE INTO source SELECT * FROM other.source;
			INSERT INTO student SELECT * FROM other.student WHERE true ON CONFLICT DO UPDATE SET name = excluded.name`); err != nil {
			return err
		}
		result, err := tx.Exec(`
			INSERT OR IGNORE INTO mark (student, kata, sha256, judges, seed, graded, walls, score, max, report)
			SELECT student, kata, sha256, judges, seed, graded, walls, score, max, report FROM other.mark ORDER BY id`)
		if err != nil {
			return err
		}
		fresh, err := result.RowsAffected()
		if err != nil {
			return err
		}
		marks = int(fresh)
		_, err = tx.Exec(`
			INSERT INTO handed (student, kata, sha256, submitted, note, mark)
			SELECT h.student, h.kata, h.sha256, h.submitted, h.note, mine.id
			FROM other.handed AS h JOIN other.mark AS theirs ON theirs.id = h.mark
			JOIN main.mark AS mine ON (mine.student, mine.kata, mine.sha256, mine.judges, mine.seed) = (theirs.student, theirs.kata, theirs.sha256, theirs.judges, theirs.seed)
			WHERE NOT EXISTS (SELECT 1 FROM main.handed AS have JOIN main.mark AS it ON it.id = have.mark
				WHERE have.student = h.student AND have.kata = h.kata AND it.graded > theirs.graded)
			ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, submitted = excluded.submitted, note = excluded.note, mark = excluded.mark;
			INSERT INTO correction (student, kata, score, reason, made)
			SELECT student, kata, score, reason, made FROM other.correction
			EXCEPT SELECT student, kata, score, reason, made FROM main.correction
			ORDER BY made`)
		return err
	})
	return marks, err
}
