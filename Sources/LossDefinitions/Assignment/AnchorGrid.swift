/// A place in an image, in pixels.
public struct Point: Sendable, Equatable {
  public var x, y: Double

  @inline(always) public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// The cells of a detector's feature maps: level by level, row by row, one anchor a cell.
public struct AnchorGrid: Sendable, Equatable {
  /// A feature map.
  public struct Level: Sendable, Equatable {
    public let height, width: Int
    /// Pixels a cell.
    public let stride: Double
    /// Its first anchor.
    public let first: Int

    /// The centre of a cell, in pixels.
    @inline(always) public func x(_ column: Int) -> Double { (Double(column) + 0.5) * stride }
    @inline(always) public func y(_ row: Int) -> Double { (Double(row) + 0.5) * stride }
  }

  public private(set) var levels: [Level] = []
  /// The number of anchors.
  public private(set) var count = 0

  public init(_ sizes: [(height: Int, width: Int)], strides: [Double]) {
    for (size, stride) in zip(sizes, strides) {
      levels.append(
        Level(height: size.height, width: size.width, stride: stride, first: count))
      count += size.height * size.width
    }
  }

  /// The image's sides in pixels: those of the first map, as ultralytics has it.
  public var imageHeight: Double { levels.first.map { Double($0.height) * $0.stride } ?? 0 }
  public var imageWidth: Double { levels.first.map { Double($0.width) * $0.stride } ?? 0 }

  /// Each anchor's point, in pixels.
  public var points: [Point] {
    levels.flatMap { level in
      (0..<level.height * level.width).map {
        Point(level.x($0 % level.width), level.y($0 / level.width))
      }
    }
  }

  /// An anchor's point in cells of its level.
  public func cell(_ anchor: Int) -> (x: Double, y: Double) {
    guard let level = levels.last(where: { $0.first <= anchor }) else { return (0, 0) }
    let (row, column) = (anchor - level.first).quotientAndRemainder(dividingBy: level.width)
    return (Double(column) + 0.5, Double(row) + 0.5)
  }

  /// An anchor's point, in pixels.
  public func point(_ anchor: Int) -> Point {
    guard let level = levels.last(where: { $0.first <= anchor }) else { return Point(0, 0) }
    let (row, column) = (anchor - level.first).quotientAndRemainder(dividingBy: level.width)
    return Point(level.x(column), level.y(row))
  }

  /// An anchor's stride.
  public func stride(_ anchor: Int) -> Double {
    levels.last { $0.first <= anchor }?.stride ?? 1
  }

  /// Each anchor's stride.
  public var strides: [Double] {
    levels.flatMap { Array(repeating: $0.stride, count: $0.height * $0.width) }
  }
}
