/// The similarities 1 − L of each of n boxes with each of m, by the kernel of a loss.
///
/// A row is one box against all of the second set, a vector of them at a time; an entry has the same
/// bits wherever it stands in the matrix. Slopes are summed in Double, in the order of the boxes.
public struct Pairwise<L: BoxLoss>: Sendable {
  public let loss: L

  public init(_ loss: L) { self.loss = loss }

  /// The matrix, row by row, and the derivatives of the sum of its entries.
  public struct Matrix<Element: LaneElement>: Sendable {
    public let rows, columns: Int
    public let similarities: [Element]
    /// n x 4, in the corners of the first set; m x 4, in those of the second.
    public let first, second: [Element]

    @inlinable init(
      rows: Int, columns: Int, similarities: [Element], first: [Element], second: [Element]
    ) {
      self.rows = rows
      self.columns = columns
      self.similarities = similarities
      self.first = first
      self.second = second
    }

    public subscript(i: Int, j: Int) -> Element { similarities[i * columns + j] }
  }

  /// - Parameters:
  ///   - first: n x 4 corners, row by row.
  ///   - second: m x 4 corners.
  /// - Precondition: both counts are multiples of 4; `similaritiesAndGradients` of `Losses` throws
  ///   where they are not.
  @inlinable
  public func callAsFunction<Element: LaneElement>(
    _ first: [Element], _ second: [Element]
  ) -> Matrix<Element> {
    precondition(first.count % 4 == 0 && second.count % 4 == 0, "boxes are rows of four")
    let (n, m) = (first.count / 4, second.count / 4)
    var values = [Element](repeating: 0, count: n * m)
    var slopes = [Element](repeating: 0, count: first.count)
    var others = [Element](repeating: 0, count: second.count)
    values.withUnsafeMutableBufferPointer { values in
      first.withUnsafeBufferPointer { p in
        second.withUnsafeBufferPointer { t in
          for i in 0..<n {
            let sum = row(p, i, t, Element.self) { values[i * m + $0] = 1 - $1 }
            for k in 0..<4 { slopes[4 * i + k] = Element(-sum[k]) }
          }
          // A similarity is symmetric: the second set's slopes are those of the exchanged pairs.
          for j in 0..<m {
            let sum = row(t, j, p, Element.self) { _, _ in }
            for k in 0..<4 { others[4 * j + k] = Element(-sum[k]) }
          }
        }
      }
    }
    return Matrix(rows: n, columns: m, similarities: values, first: slopes, second: others)
  }

  /// Hands out the losses of one box with each of `others`; the sum of the slopes in its corners.
  @inlinable @inline(__always)
  func row<Element: LaneElement>(
    _ boxes: UnsafeBufferPointer<Element>, _ index: Int, _ others: UnsafeBufferPointer<Element>,
    _: Element.Type, _ store: (Int, Element) -> Void
  ) -> SIMD4<Double> {
    typealias V = Element.Vector
    var sum = SIMD4<Double>()
    guard let rows = others.baseAddress else { return sum }
    let box = Box(
      x1: V(repeating: boxes[4 * index]), y1: V(repeating: boxes[4 * index + 1]),
      x2: V(repeating: boxes[4 * index + 2]), y2: V(repeating: boxes[4 * index + 3]))
    let count = others.count / 4
    var j = 0
    while j < count {
      let live = Swift.min(V.count, count - j)
      let other = live == V.count ? Box<V>(rows + 4 * j) : Box<V>(rows + 4 * j, count: live)
      let (value, slope) = loss.optimized(box, other)
      for k in 0..<live {
        store(j + k, value[k])
        sum += SIMD4(
          Double(slope.x1[k]), Double(slope.y1[k]), Double(slope.x2[k]), Double(slope.y2[k]))
      }
      j += V.count
    }
    return sum
  }
}
