/// Contiguous numbers to read: an array, a slice of one, a span or a buffer pointer.
public protocol Numbers<Element>: ~Copyable, ~Escapable {
  associatedtype Element

  borrowing func withNumbers<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result
}

/// Contiguous numbers to write: an array, a slice of one, a mutable span or a buffer pointer.
public protocol MutableNumbers<Element>: ~Copyable, ~Escapable {
  associatedtype Element

  mutating func withMutableNumbers<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result
}

extension Array: Numbers, MutableNumbers {
  public func withNumbers<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeBufferPointer(body)
  }

  public mutating func withMutableNumbers<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeMutableBufferPointer { buffer throws(Failure) in try body(buffer) }
  }
}

extension ArraySlice: Numbers, MutableNumbers {
  public func withNumbers<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeBufferPointer(body)
  }

  public mutating func withMutableNumbers<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeMutableBufferPointer { buffer throws(Failure) in try body(buffer) }
  }
}

extension Span: Numbers {
  public func withNumbers<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeBufferPointer(body)
  }
}

extension MutableSpan: MutableNumbers {
  public mutating func withMutableNumbers<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeMutableBufferPointer { buffer throws(Failure) in try body(buffer) }
  }
}

extension UnsafeBufferPointer: Numbers {
  public func withNumbers<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(self)
  }
}

extension UnsafeMutableBufferPointer: Numbers, MutableNumbers {
  public func withNumbers<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeBufferPointer(self))
  }

  public mutating func withMutableNumbers<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(self)
  }
}

extension Optional where Wrapped: Numbers & ~Copyable & ~Escapable {
  borrowing func withOptionalNumbers<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Wrapped.Element>?) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch self {
    case .some(let numbers): try numbers.withNumbers { buffer throws(Failure) in try body(buffer) }
    case .none: try body(nil)
    }
  }
}
