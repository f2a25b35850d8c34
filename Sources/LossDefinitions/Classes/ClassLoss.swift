/// A loss of rows: a prediction of C numbers, one a class, and a target.
///
/// An item is one row; a batch is n x C, row-major. The target is a row of C numbers too, a single
/// number, or a class index.
public protocol ClassLoss: RowLoss {
  /// The losses of a vector of rows; each row's gradient replaces its prediction.
  func optimized<V: Lanes>(_ rows: ClassRows<V>) -> V
}

/// As many rows as a vector has lanes, transposed: vector j holds class j of every row.
///
/// A row never leaves its lane, so that its result has the same bits wherever it is in a batch, and
/// however many lanes there are.
public struct ClassRows<V: Lanes> {
  public let classes: Int
  /// The predictions, one vector a class.
  public let prediction: UnsafeMutablePointer<V>
  /// The targets: C vectors, or one of numbers or of class indices.
  public let target: UnsafeMutablePointer<V>
  /// Room for one vector a class.
  public let scratch: UnsafeMutablePointer<V>

  @inlinable @inline(always)
  init(
    classes: Int, prediction: UnsafeMutablePointer<V>, target: UnsafeMutablePointer<V>,
    scratch: UnsafeMutablePointer<V>
  ) {
    self.classes = classes
    self.prediction = prediction
    self.target = target
    self.scratch = scratch
  }

  /// The largest prediction, and the first class that has it.
  @inlinable @inline(always)
  func largest() -> (value: V, top: V) {
    var largest = prediction[0]
    var top = V.zero
    var number = V.zero
    for j in 1..<Swift.max(classes, 1) {
      number = number + V.one
      let greater = largest .< prediction[j]
      largest = V.select(greater, prediction[j], largest)
      top = V.select(greater, number, top)
    }
    return (largest, top)
  }
}

extension ClassLoss {
  public static var family: Family { .classes }
  public static var targetGradient: TargetGradient { .none }

  @inlinable @inline(never)
  public func sweep<I: InstructionSet, Element: LaneElement>(
    _: I.Type, _ batch: Batch<Element>
  ) -> Double {
    // The two widths of distributions over distances have loops of their own.
    switch batch.width {
    case 16: sweep(batch, classes: 16)
    case 17: sweep(batch, classes: 17)
    default: sweep(batch, classes: batch.width)
    }
  }

  @inlinable @inline(always)
  func sweep<Element: LaneElement>(_ batch: Batch<Element>, classes: Int) -> Double {
    typealias V = Element.Vector
    let targets = Self.targetIsIndex ? 1 : batch.targetWidth
    // Not stack-protected: a protected function does not inline the lanes' operations.
    return _withUnprotectedUnsafeTemporaryAllocation(
      of: V.self, capacity: 2 * classes + targets + V.count
    ) { memory in
      guard let base = memory.baseAddress else { return 0 }
      let rows = ClassRows(
        classes: classes, prediction: base, target: base + 2 * classes, scratch: base + classes)
      let room = rows.target + targets
      return batch.sum { first, n, values in
        var i = 0
        while i < n {
          let at = first + i
          let live = Swift.min(V.count, n - i)
          V.transpose(
            batch.prediction + at * classes, rows: live, columns: classes, to: base, room: room)
          if Self.targetIsIndex {
            for k in 0..<V.count {
              let row = at + Swift.min(k, live - 1)
              rows.target.pointee[k] = batch.isIgnored(row) ? 0 : Element(batch.indices![row])
            }
          } else {
            V.transpose(
              batch.target! + at * targets, rows: live, columns: targets, to: rows.target,
              room: room)
          }
          let loss = optimized(rows)
          for k in 0..<live { values[i + k] = loss[k] }
          if let gradient = batch.gradient {
            var factor = V(repeating: batch.scale)
            for k in 0..<live { factor[k] = batch.factor(at + k) }
            for j in 0..<classes { base[j] = base[j] * factor }
            V.transpose(
              base, rows: live, columns: classes, to: gradient + at * classes, room: room)
          }
          if Self.targetIsIndex, batch.ignoredIndex != nil {
            for k in 0..<live where batch.isIgnored(at + k) {
              values[i + k] = 0
              batch.gradient.map { ($0 + (at + k) * classes).update(repeating: 0, count: classes) }
            }
          }
          i += V.count
        }
      }
    }
  }
}

extension Lanes {
  /// Rows in memory to one vector a column; lanes beyond the rows repeat the last of them.
  @inlinable @inline(always)
  static func transpose(
    _ source: UnsafePointer<Element>, rows: Int, columns: Int,
    to vectors: UnsafeMutablePointer<Self>, room: UnsafeMutablePointer<Self>
  ) {
    var j = 0
    while j + count <= columns {
      for k in 0..<count {
        vectors[j + k] = Self(source + (Swift.min(k, rows - 1) * columns + j))
      }
      transpose(vectors + j, room: room)
      j += count
    }
    let flat = UnsafeMutableRawPointer(vectors).assumingMemoryBound(to: Element.self)
    while j < columns {
      for k in 0..<count {
        flat[j &* count &+ k] = source[Swift.min(k, rows &- 1) &* columns &+ j]
      }
      j += 1
    }
  }

  /// One vector a column to rows in memory; what the vectors hold is then unspecified.
  @inlinable @inline(always)
  static func transpose(
    _ vectors: UnsafeMutablePointer<Self>, rows: Int, columns: Int,
    to destination: UnsafeMutablePointer<Element>, room: UnsafeMutablePointer<Self>
  ) {
    var j = 0
    while j + count <= columns {
      transpose(vectors + j, room: room)
      for k in 0..<rows { vectors[j + k].store(destination + (k * columns + j)) }
      j += count
    }
    let flat = UnsafeMutableRawPointer(vectors).assumingMemoryBound(to: Element.self)
    while j < columns {
      for k in 0..<rows { destination[k &* columns &+ j] = flat[j &* count &+ k] }
      j += 1
    }
  }

  /// Transposes a square of `count` vectors.
  ///
  /// Parting evens and odds moves the lowest bit of an element's place to the top; after log2 `count`
  /// times the bits of its row and of its column have changed places.
  @inlinable @inline(always)
  static func transpose(_ square: UnsafeMutablePointer<Self>, room: UnsafeMutablePointer<Self>) {
    var (source, destination) = (square, room)
    var parted = 1
    while parted < count {
      for i in 0..<count / 2 {
        let (a, b) = (source[2 * i], source[2 * i + 1])
        destination[i] = evens(a, b)
        destination[count / 2 + i] = odds(a, b)
      }
      swap(&source, &destination)
      parted *= 2
    }
    if source != square { square.update(from: source, count: count) }
  }
}
