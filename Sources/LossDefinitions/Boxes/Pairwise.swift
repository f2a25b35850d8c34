/// The similarities 1 − L of each of n boxes with each of m, by the kernel of a loss.
///
/// A row is one box against all of the second set, a vector of them at a time, so that an entry has
/// the same bits wherever it stands in the matrix.
public struct Pairwise<L: BoxLoss>: Sendable {
  public let loss: L

  public init(_ loss: L) { self.loss = loss }

  /// The matrix, row by row, and the derivatives of the sum of its entries.
  public struct Matrix<Element: LaneElement>: Sendable {
    public let rows, columns: Int
    public let similarities: [Element]
    /// n x 4, in the corners of the first set; m x 4, in those of the second.
    public let first, second: [Element]

    public subscript(i: Int, j: Int) -> Element { similarities[i * columns + j] }
  }

  /// - Parameters:
  ///   - first: n x 4 corners, row by row.
  ///   - second: m x 4 corners.
  public func callAsFunction<Element: LaneElement>(
    _ first: [Element], _ second: [Element]
  ) -> Matrix<Element> {
    precondition(first.count % 4 == 0 && second.count % 4 == 0, "boxes are rows of four")
    let (n, m) = (first.count / 4, second.count / 4)
    var values = [Element](repeating: 0, count: n * m)
    var slopes = [Element](repeating: 0, count: first.count)
    var others = [Element](repeating: 0, count: second.count)
    guard n > 0, m > 0 else {
      return Matrix(rows: n, columns: m, similarities: values, first: slopes, second: others)
    }
    first.withUnsafeBufferPointer { p in
      second.withUnsafeBufferPointer { t in
        values.withUnsafeMutableBufferPointer { values in
          for i in 0..<n {
            row(p.baseAddress! + 4 * i, t.baseAddress!, m, values.baseAddress! + i * m)
              .enumerated().forEach { slopes[4 * i + $0] = $1 }
          }
        }
        for j in 0..<m {
          row(t.baseAddress! + 4 * j, p.baseAddress!, n, nil)
            .enumerated().forEach { others[4 * j + $0] = $1 }
        }
      }
    }
    return Matrix(rows: n, columns: m, similarities: values, first: slopes, second: others)
  }

  /// One box against `count` others: their similarities, and the sum of the slopes in the one box.
  private func row<Element: LaneElement>(
    _ box: UnsafePointer<Element>, _ others: UnsafePointer<Element>, _ count: Int,
    _ values: UnsafeMutablePointer<Element>?
  ) -> [Element] {
    typealias V = Element.Vector
    let p = Box<V>(
      x1: V(repeating: box[0]), y1: V(repeating: box[1]), x2: V(repeating: box[2]),
      y2: V(repeating: box[3]))
    var sums = [PairwiseSum](repeating: PairwiseSum(), count: 4)
    var j = 0
    while j < count {
      let live = Swift.min(V.count, count - j)
      let (loss, slope) = loss.optimized(
        p,
        live == V.count
          ? Box<V>(others + 4 * j) : Box<V>(others + 4 * j, count: live))
      for k in 0..<live {
        values?[j + k] = 1 - loss[k]
        sums[0].add(-Double(slope.x1[k]))
        sums[1].add(-Double(slope.y1[k]))
        sums[2].add(-Double(slope.x2[k]))
        sums[3].add(-Double(slope.y2[k]))
      }
      j += V.count
    }
    return sums.map { Element($0.total) }
  }
}
