package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/textproto"
	"strings"
)

// Each message of a stream, in Connect as in gRPC and gRPC-web, comes after a
// byte of flags and four bytes of length.
const (
	frameHead = 5

	compressed = 1 << 0 // the payload is
	endConnect = 1 << 1 // the payload is JSON that ends the stream
	endWeb     = 1 << 7 // the payload is gRPC-web's trailers
)

// maxEnd bounds how much of an end is kept to read the code in it.
const maxEnd = 64 << 10

// frames follows the messages in a stream's bytes, without holding them back.
type frames struct {
	head [frameHead]byte
	have int    // bytes of head
	left uint32 // bytes of the payload that are to come

	ended bool
	end   []byte // the payload of the frame that ends the stream
	flags byte   // of that frame
}

func (f *frames) follow(p []byte) {
	for len(p) > 0 {
		if f.have < frameHead {
			n := copy(f.head[f.have:], p)
			f.have, p = f.have+n, p[n:]
			if f.have < frameHead {
				return
			}
			f.left = binary.BigEndian.Uint32(f.head[1:])
			if f.head[0]&(endConnect|endWeb) != 0 {
				f.ended, f.flags = true, f.head[0]
			}
		}
		n := min(uint64(f.left), uint64(len(p)))
		if f.ended {
			f.end = append(f.end, p[:min(int(n), maxEnd-len(f.end))]...)
		}
		f.left, p = f.left-uint32(n), p[n:]
		if f.left == 0 {
			f.have = 0
		}
	}
}

// between reports whether the last message that began is whole.
func (f *frames) between() bool { return f.have == 0 }

// code is the code that the stream ended with: "" if that cannot be told.
func (f *frames) code() string {
	end := f.end
	if f.flags&compressed != 0 {
		// The API's services know no other compression.
		if end = gunzip(end); end == nil {
			return ""
		}
	}
	switch {
	case !f.ended:
		return ""
	case f.flags&endWeb != 0:
		// A block of trailers has no empty line at its end.
		for line := range strings.SplitSeq(string(end), "\r\n") {
			name, value, _ := strings.Cut(line, ":")
			if textproto.CanonicalMIMEHeaderKey(name) == grpcStatus {
				return codeOfGRPC(strings.TrimSpace(value))
			}
		}
		return ""
	}
	var msg struct{ Error *struct{ Code string } }
	if json.Unmarshal(end, &msg) != nil {
		return ""
	}
	if msg.Error == nil {
		return codeOK
	}
	return known(msg.Error.Code)
}

func gunzip(b []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(r, maxEnd))
	if err != nil {
		return nil
	}
	return out
}

// stream is the body of an answer whose code comes at its end. It passes on what
// the service sends as it comes. When the service breaks off between two messages,
// or the gateway does, the stream ends in the caller's protocol, with "unavailable":
// its client can tell that from a connection that broke, and goes on after the
// last message.
type stream struct {
	frames
	resp    *http.Response
	body    io.ReadCloser
	ends    bool   // it may end between two messages
	broken  bool   // it did
	rest    []byte // of the end that is ours
	onBreak func(error)
}

func (s *stream) Read(p []byte) (int, error) {
	if s.broken {
		n := copy(p, s.rest)
		if s.rest = s.rest[n:]; len(s.rest) == 0 {
			return n, io.EOF
		}
		return n, nil
	}
	n, err := s.body.Read(p)
	s.follow(p[:n])
	if err == nil || err == io.EOF || !s.ends || s.ended || !s.between() {
		return n, err
	}
	s.onBreak(err)
	s.broken, s.rest = true, endOfStream(s.resp)
	return n, nil
}

func (s *stream) Close() error { return s.body.Close() }
