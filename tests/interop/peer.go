// The other side of the record: a program made of published Go modules that checks what keepclear signed, proved and
// published (this file), and makes logs of its own for keepclear to check (made.go).
//
// It reads one JSON request a line and answers each with one line: {"answer": …}, or {"refused": "why"}. Wherever two of
// the modules can judge the same thing both must, and must agree: a disagreement ends the program.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"filippo.io/torchwood"
	checkpoints "github.com/transparency-dev/formats/log"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"k8s.io/klog/v2"
)

type handler func(json.RawMessage) (any, error)

// does makes a handler of a function from one request to one answer.
func does[Q, A any](do func(Q) (A, error)) handler {
	return func(raw json.RawMessage) (any, error) {
		var question Q
		if err := json.Unmarshal(raw, &question); err != nil {
			log.Fatalf("a request that cannot be read: %v", err)
		}
		return do(question)
	}
}

var handlers = map[string]handler{
	"note":        does(openNote),
	"checkpoint":  does(openCheckpoint),
	"key":         does(readKey),
	"inclusion":   does(checkInclusion),
	"consistency": does(checkConsistency),
	"subtree":     does(checkSubtrees),
	"directory":   does(checkDirectory),
	"proof":       does(checkProof),
	"policy":      does(checkPolicy),
	"make":        does(makeLog),
}

func main() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	lines, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		var head struct{ Do string }
		if err := json.Unmarshal(line, &head); err != nil {
			log.Fatal(err)
		}
		handle, known := handlers[head.Do]
		if !known {
			log.Fatalf("no such request: %q", head.Do)
		}
		reply := map[string]any{}
		if answer, err := handle(line); err != nil {
			reply["refused"] = err.Error()
		} else {
			reply["answer"] = answer
		}
		if err := out.Encode(reply); err != nil {
			log.Fatal(err)
		}
	}
}

// --- notes, checkpoints, keys ----------------------------------------------------------------------------------------

type signedNote struct {
	Note []byte
	Keys []string // the first is the log's, where a checkpoint is asked about
}

type opened struct {
	Text  string           `json:"text"`
	By    []string         `json:"by"`
	Times map[string]int64 `json:"times"` // of the cosignatures among them
}

// verifier reads a key with the module that knows its kind.
func verifier(vkey string) (note.Verifier, error) {
	if v, err := torchwood.NewCosignatureVerifier(vkey); err == nil {
		if v.String() != vkey {
			return nil, fmt.Errorf("the key is written %q", v)
		}
		return v, nil
	}
	return note.NewVerifier(vkey)
}

func verifiers(vkeys []string) ([]note.Verifier, error) {
	var all []note.Verifier
	for _, vkey := range vkeys {
		v, err := verifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", vkey, err)
		}
		all = append(all, v)
	}
	return all, nil
}

func openNote(q signedNote) (opened, error) {
	known, err := verifiers(q.Keys)
	if err != nil {
		return opened{}, err
	}
	n, err := note.Open(q.Note, note.VerifierList(known...))
	if err != nil {
		return opened{}, err
	}
	return told(n)
}

func told(n *note.Note) (opened, error) {
	a := opened{Text: n.Text, Times: map[string]int64{}}
	for _, signature := range n.Sigs {
		a.By = append(a.By, signature.Name)
		if raw, err := torchwood.CosignatureTimestamp(signature); err == nil && len(signature.Base64) == cosignatureLength {
			a.Times[signature.Name] = raw
		}
	}
	return a, nil
}

const cosignatureLength = (4 + 8 + 64 + 2) / 3 * 4 // key id, time, Ed25519 signature, in base64

type openedCheckpoint struct {
	opened
	Origin    string    `json:"origin"`
	Size      int64     `json:"size"`
	Root      tlog.Hash `json:"-"`
	RootBytes []byte    `json:"root"`
	Extension string    `json:"extension"`
}

func openCheckpoint(q signedNote) (openedCheckpoint, error) {
	known, err := verifiers(q.Keys)
	if err != nil {
		return openedCheckpoint{}, err
	}
	one, rest, n, err := checkpoints.ParseCheckpoint(q.Note, known[0].Name(), known[0], known[1:]...)
	if err != nil {
		return openedCheckpoint{}, err
	}
	two, err := torchwood.ParseCheckpoint(n.Text)
	if err != nil {
		return openedCheckpoint{}, err
	}
	if two.Origin != one.Origin || uint64(two.N) != one.Size || !bytes.Equal(two.Hash[:], one.Hash) ||
		two.Extension != string(rest) {
		log.Fatalf("two readings of one checkpoint: %v and %v", one, two)
	}
	a, err := told(n)
	return openedCheckpoint{a, two.Origin, two.N, two.Hash, two.Hash[:], two.Extension}, err
}

func readKey(q struct{ Key string }) (map[string]any, error) {
	v, err := verifier(q.Key)
	if err != nil {
		return nil, err
	}
	return map[string]any{"name": v.Name(), "id": v.KeyHash()}, nil
}

// --- Merkle proofs ---------------------------------------------------------------------------------------------------

type inclusion struct {
	Index, Size int64
	Leaf, Root  []byte
	Proof       [][]byte
}

func (q inclusion) check() error {
	one := tlog.CheckRecord(hashes(q.Proof), q.Size, tlog.Hash(q.Root), q.Index, tlog.Hash(q.Leaf))
	two := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(q.Index), uint64(q.Size), q.Leaf, q.Proof, q.Root)
	return agreed(one, two)
}

func checkInclusion(q struct{ Proofs []inclusion }) ([]bool, error) {
	return each(q.Proofs, inclusion.check), nil
}

type consistency struct {
	Old, New         int64
	OldRoot, NewRoot []byte
	Proof            [][]byte
}

func (q consistency) check() error {
	one := tlog.CheckTree(hashes(q.Proof), q.New, tlog.Hash(q.NewRoot), q.Old, tlog.Hash(q.OldRoot))
	two := proof.VerifyConsistency(
		rfc6962.DefaultHasher, uint64(q.Old), uint64(q.New), q.Proof, q.OldRoot, q.NewRoot)
	return agreed(one, two)
}

func checkConsistency(q struct{ Proofs []consistency }) ([]bool, error) {
	return each(q.Proofs, consistency.check), nil
}

// subtree is a complete one: the leaves [Index<<Level, (Index+1)<<Level).
type subtree struct {
	Level       int
	Index, Size int64
	Hash, Root  []byte
	Proof       [][]byte
}

func (q subtree) check() error {
	at := tlog.StoredHashIndex(q.Level, q.Index)
	return torchwood.CheckHash(
		torchwood.HashProof(hashes(q.Proof)), q.Size, tlog.Hash(q.Root), at, tlog.Hash(q.Hash))
}

func checkSubtrees(q struct{ Proofs []subtree }) ([]bool, error) {
	return each(q.Proofs, subtree.check), nil
}

func hashes(raw [][]byte) []tlog.Hash {
	var all []tlog.Hash
	for _, one := range raw {
		all = append(all, tlog.Hash(one))
	}
	return all
}

func agreed(one, two error) error {
	if (one == nil) != (two == nil) {
		log.Fatalf("two judgements of one proof: %v and %v", one, two)
	}
	return one
}

func each[T any](all []T, check func(T) error) []bool {
	held := make([]bool, len(all))
	for i, one := range all {
		held[i] = check(one) == nil
	}
	return held
}

// --- a directory of tiles --------------------------------------------------------------------------------------------

type directory struct {
	Dir    string
	Keys   []string
	Sample []int64 // indices whose entries are asked for one by one, with a proof
}

type followed struct {
	openedCheckpoint
	Entries int64    `json:"entries"`
	Digest  []byte   `json:"digest"` // SHA-256 of all entries, each behind its length as four bytes
	Sampled [][]byte `json:"sampled"`
}

func checkDirectory(q directory) (followed, error) {
	signed, err := os.ReadFile(q.Dir + "/checkpoint")
	if err != nil {
		return followed{}, err
	}
	head, err := openCheckpoint(signedNote{signed, q.Keys})
	if err != nil {
		return followed{}, err
	}
	a, one := follow(q, head)
	two := examine(q, head)
	if err := errors.Join(one, two); err != nil {
		return followed{}, err
	}
	return a, nil
}

// follow reads every entry with torchwood's client, over a transport that serves the directory without a socket.
func follow(q directory, head openedCheckpoint) (followed, error) {
	web := &http.Client{Transport: http.NewFileTransportFS(os.DirFS(q.Dir))}
	fetcher, err := torchwood.NewTileFetcher("http://log/", torchwood.WithHTTPClient(web))
	if err != nil {
		return followed{}, err
	}
	reader, err := torchwood.NewClient(fetcher)
	if err != nil {
		return followed{}, err
	}
	a, digest := followed{openedCheckpoint: head}, sha256.New()
	tree := tlog.Tree{N: head.Size, Hash: head.Root}
	for i, entry := range reader.AllEntries(context.Background(), tree, 0) {
		if i != a.Entries {
			return followed{}, fmt.Errorf("entry %d where %d was to come", i, a.Entries)
		}
		binary.Write(digest, binary.BigEndian, uint32(len(entry)))
		digest.Write(entry)
		a.Entries++
	}
	if err := reader.Err(); err != nil {
		return followed{}, err
	}
	for _, i := range q.Sample {
		entry, path, err := reader.Entry(context.Background(), tree, i)
		if err != nil {
			return followed{}, err
		}
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, i, tlog.RecordHash(entry)); err != nil {
			return followed{}, err
		}
		a.Sampled = append(a.Sampled, entry)
	}
	a.Digest = digest.Sum(nil)
	return a, nil
}

// examine has tessera recompute every tile from the entries and compare it with the file.
func examine(q directory, head openedCheckpoint) error {
	key, err := verifier(q.Keys[0])
	if err != nil {
		return err
	}
	leaves := func(raw []byte) ([][]byte, error) {
		bundle, all := api.EntryBundle{}, [][]byte{}
		if err := bundle.UnmarshalText(raw); err != nil {
			return nil, err
		}
		for _, entry := range bundle.Entries {
			all = append(all, rfc6962.DefaultHasher.HashLeaf(entry))
		}
		return all, nil
	}
	// A worker that finds a fault ends, and with too few of them left fsck waits for ever: so as many as there are tiles.
	workers := fsck.Opts{N: uint(head.Size/128 + 16)}
	return fsck.New(head.Origin, key, client.FileFetcher{Root: q.Dir}, leaves, workers).Check(context.Background())
}

// --- proofs in files, and policies -----------------------------------------------------------------------------------

type spicy struct {
	Proof, Entry []byte
	Log          string
	Policy       []byte
}

type proved struct {
	Index int64  `json:"index"`
	Size  int64  `json:"size"`
	Extra []byte `json:"extra"`
}

func checkProof(q spicy) (proved, error) {
	var read tlogproof.TLogProof
	if err := read.Unmarshal(q.Proof); err != nil {
		return proved{}, err
	}
	if !bytes.Equal(read.Marshal(), q.Proof) {
		return proved{}, errors.New("the proof is written in another way")
	}
	head, err := openCheckpoint(signedNote{read.Checkpoint, []string{q.Log}})
	if err != nil {
		return proved{}, err
	}
	claim := inclusion{Index: int64(read.Index), Size: head.Size, Root: head.RootBytes}
	claim.Leaf = rfc6962.DefaultHasher.HashLeaf(q.Entry)
	for _, hash := range read.Hashes {
		claim.Proof = append(claim.Proof, hash[:])
	}
	if err := claim.check(); err != nil {
		return proved{}, err
	}
	group, err := witness.ParsePolicy(q.Policy)
	if err != nil {
		return proved{}, err
	}
	if !group.Satisfied(read.Checkpoint) {
		return proved{}, errors.New("the policy's quorum is not met")
	}
	return proved{claim.Index, head.Size, read.ExtraData}, nil
}

type policy struct{ Policy, Checkpoint []byte }

func checkPolicy(q policy) (map[string]any, error) {
	group, err := witness.ParsePolicy(q.Policy)
	if err != nil {
		return nil, err
	}
	urls := map[string]string{}
	for url, key := range group.Endpoints() {
		urls[key.Name()] = strings.TrimSuffix(url, "/add-checkpoint")
	}
	return map[string]any{"met": group.Satisfied(q.Checkpoint), "urls": urls}, nil
}
