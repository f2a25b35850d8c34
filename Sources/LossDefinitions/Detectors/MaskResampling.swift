/// A mask's average over the cells of a grid laid over a box: the soft target of a mask head.
///
/// The box is cut into rows x columns cells; each is sampled at the centres of its own regular grid,
/// ⌈cell's side⌉ samples a side unless `samples` says otherwise, bilinearly between the four pixels
/// around a sample, and averaged. Unaligned, pixel (i, j) has its value at (j, i) and a box's side
/// below 1 counts as 1; aligned, at (j + 1/2, i + 1/2), and sides are as they are.
///
/// Source: He et al. 2017, Mask R-CNN, arXiv 1703.06870, section 3; torchvision and detectron2
/// `roi_align`. Chapter: `Spec/Detectors/MaskHead.md`.
public struct RoIAlign: Sendable, Equatable {
  public var isAligned: Bool
  /// Samples a side of a cell; nil: as many as the cell has pixels, rounded up.
  public var samples: Int?

  public init(isAligned: Bool, samples: Int? = nil) {
    self.isAligned = isAligned
    self.samples = samples
  }

  /// - Parameters:
  ///   - mask: height x width numbers.
  ///   - box: in pixels of the mask.
  /// - Returns: rows x columns numbers, row by row.
  public func callAsFunction(
    _ mask: Tensor, _ box: Box<Double>, rows: Int, columns: Int
  ) -> [Double] {
    let down = positions(from: box.y1, to: box.y2, cells: rows, extent: mask.shape[0])
    let right = positions(from: box.x1, to: box.x2, cells: columns, extent: mask.shape[1])
    return down.flatMap { ys in
      right.map { xs in
        var sum = 0.0
        for y in ys { for x in xs { sum += y.interpolate(x, mask) } }
        return sum / Double(max(1, ys.count * xs.count))
      }
    }
  }

  /// Samples of a cell along an axis, where the box's size decides.
  private static let mostSamples = 256

  /// Where each cell along one axis is sampled.
  private func positions(
    from low: Double, to high: Double, cells: Int, extent: Int
  ) -> [[Between]] {
    let start = isAligned ? low - 0.5 : low
    let side = isAligned ? high - low : max(1, high - low)
    let cell = side / Double(cells)
    // A box that is no finite one has no samples; one beyond all images no more than this many.
    guard start.isFinite, cell.isFinite, cell >= 0 else {
      return Array(repeating: [], count: cells)
    }
    let count = samples ?? Int(min(cell.rounded(.up), Double(Self.mostSamples)))
    return (0..<cells).map { i in
      (0..<count).map { j in
        let offset = (Double(j) + 0.5) * cell / Double(count)
        return Between(clamping: start + Double(i) * cell + offset, extent)
      }
    }
  }
}

/// A mask cut out by a box and resized to a grid: TensorFlow's `crop_and_resize`, bilinear.
///
/// Sample i of n lies at y₁ (H − 1) + i (y₂ − y₁) (H − 1) / (n − 1), so that the outer samples are on
/// the box's edges; a single one is at its centre. Outside the mask it is 0. The box is normalised:
/// 1 is the last pixel's centre.
///
/// Source: `tf.image.crop_and_resize`, TensorFlow 2.21. Chapter: `Spec/Detectors/MaskHead.md`.
public struct CropAndResize: Sendable, Equatable {
  public init() {}

  /// - Returns: rows x columns numbers, row by row.
  public func callAsFunction(
    _ mask: Tensor, _ box: Box<Double>, rows: Int, columns: Int
  ) -> [Double] {
    let down = positions(from: box.y1, to: box.y2, count: rows, extent: mask.shape[0])
    let right = positions(from: box.x1, to: box.x2, count: columns, extent: mask.shape[1])
    return down.flatMap { y in right.map { x in y.interpolate(x, mask) } }
  }

  private func positions(
    from low: Double, to high: Double, count: Int, extent: Int
  ) -> [Between] {
    let last = Double(extent - 1)
    return (0..<count).map { i in
      let at =
        count > 1
        ? low * last + Double(i) * ((high - low) * last / Double(count - 1))
        : 0.5 * (low + high) * last
      return Between(inside: at, extent)
    }
  }
}

/// A place between two pixels of one axis, and how much of either it sees.
private struct Between {
  let low, high: Int
  let lowShare, highShare: Double

  /// 0 before −1 and after `extent`; clamped to the outer pixels between there and them.
  init(clamping at: Double, _ extent: Int) {
    let isOutside = !(at >= -1 && at <= Double(extent))
    self.init(min(max(at, 0), Double(extent - 1)), extent, isOutside)
  }

  /// 0 outside the outer pixels.
  init(inside at: Double, _ extent: Int) {
    let isOutside = !(at >= 0 && at <= Double(extent - 1))
    self.init(isOutside ? 0 : at, extent, isOutside)
  }

  private init(_ at: Double, _ extent: Int, _ isOutside: Bool) {
    low = isOutside ? 0 : Int(at)
    high = min(low + 1, extent - 1)
    highShare = isOutside ? 0 : at - Double(low)
    lowShare = isOutside ? 0 : 1 - highShare
  }

  /// The value of a mask at this row and a column.
  func interpolate(_ column: Between, _ mask: Tensor) -> Double {
    let above = column.lowShare * mask[low, column.low] + column.highShare * mask[low, column.high]
    let below =
      column.lowShare * mask[high, column.low] + column.highShare * mask[high, column.high]
    return lowShare * above + highShare * below
  }
}
