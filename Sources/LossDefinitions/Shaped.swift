/// Numbers of a shape, flat in row-major order.
public struct Shaped<Number> {
  public var shape: [Int]
  public var data: [Number]

  public init(_ shape: [Int], _ data: [Number]) {
    self.shape = shape
    self.data = data
  }

  /// The last extent; 1 for a scalar.
  public var columns: Int { shape.last ?? 1 }

  public func map<Other>(_ transform: (Number) throws -> Other) rethrows -> Shaped<Other> {
    Shaped<Other>(shape, try data.map(transform))
  }

  /// The index in `data` of an entry, one index an axis.
  public func index(_ i: Int, _ j: Int) -> Int { i * shape[1] + j }
  public func index(_ i: Int, _ j: Int, _ k: Int) -> Int { index(i, j) * shape[2] + k }
  public func index(_ i: Int, _ j: Int, _ k: Int, _ l: Int) -> Int {
    index(i, j, k) * shape[3] + l
  }
  public func index(_ i: Int, _ j: Int, _ k: Int, _ l: Int, _ m: Int) -> Int {
    index(i, j, k, l) * shape[4] + m
  }

  public subscript(_ i: Int) -> Number { data[i] }
  public subscript(_ i: Int, _ j: Int) -> Number { data[index(i, j)] }
  public subscript(_ i: Int, _ j: Int, _ k: Int) -> Number { data[index(i, j, k)] }
  public subscript(_ i: Int, _ j: Int, _ k: Int, _ l: Int) -> Number { data[index(i, j, k, l)] }
  public subscript(_ i: Int, _ j: Int, _ k: Int, _ l: Int, _ m: Int) -> Number {
    data[index(i, j, k, l, m)]
  }
}

extension Shaped: Sendable where Number: Sendable {}
extension Shaped: Equatable where Number: Equatable {}

public typealias Tensor = Shaped<Double>

extension Shaped where Number == Double {
  public init(zeros shape: [Int]) {
    self.init(shape, [Double](repeating: 0, count: shape.reduce(1, *)))
  }

  /// Every number rounded to Float.
  public var roundedToFloat: Self { map { Double(Float($0)) } }
}
