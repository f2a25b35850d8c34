/// YOLOv8's segmentation objective: the detection objective, and a cross-entropy of masks.
///
///     L_seg = B g_box Σₐ (1 / aₐ) meanₚ [p in the truth's box] BCE(cₐ · q(p), mₐ(p)) / n
///
/// n is the number of anchors of the foreground in the batch; each has a truth with mask m, and with the
/// part a of the image that the truth's box covers. The mean is over all pixels p of the prototypes, and
/// a pixel is in the box by its indices. The term takes the box's gain.
///
/// Heads: "boxes" and "scores" as for detection, "mask_coefficient" (B, M, A) c, and "proto"
/// (B, M, h, w) q. The truths' masks have the prototypes' h and w. Boxes do not get a gradient of this
/// term.
///
/// Source: ultralytics 8.4.190, `v8SegmentationLoss`. Chapter: `Spec/Detectors/YOLOv8Segmentation.md`.
public struct YOLOv8Segmentation: Objective {
  public static let name = "yolov8_segmentation"

  /// The gains, and the rules of the assignment.
  public var detection = YOLOv8()
  public var crop = CropRule.exact

  /// Which pixels a truth's box holds: column c where x₁ ≤ c < x₂, row r where y₁ ≤ r < y₂.
  public enum CropRule: String, Sendable, CaseIterable {
    /// By the box's coordinates in pixels of the masks.
    case exact
    /// By the coordinates rounded, halves to even, in images with fewer than 50 anchors of the
    /// foreground (8.3.224 to 8.4.80, on a CPU).
    case roundedBelow50
  }

  public struct Truths: Sendable, Equatable {
    public var detection: YOLOv8.Truths
    public var masks: Masks

    public init(_ detection: YOLOv8.Truths, _ masks: Masks) {
      self.detection = detection
      self.masks = masks
    }
  }

  public enum Masks: Sendable, Equatable {
    /// One map an image, (B, h, w): i + 1 marks the i-th truth of the image.
    case overlapping(Tensor)
    /// One map a row of the truths, (N, h, w), of 0 and 1.
    case separate(Tensor)
  }

  public init() {}

  public var heads: [String] { ["boxes", "scores", "mask_coefficient", "proto"] }
  public var terms: [String] { ["box", "mask", "class", "distribution"] }

  // MARK: Reference

  public func decide(_ heads: [Tensor], _ truths: Truths) -> YOLOv8.Decisions {
    detection.decide(Array(heads[..<2]), truths.detection)
  }

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: YOLOv8.Decisions
  ) -> [S] {
    let plain = detection.reference(Array(heads[..<2]), truths.detection, decisions)
    return [plain[0], maskTerm(heads[2], heads[3], truths, decisions), plain[1], plain[2]]
  }

  private func maskTerm<S: Scalar>(
    _ coefficients: Shaped<S>, _ prototypes: Shaped<S>, _ truths: Truths,
    _ decisions: YOLOv8.Decisions
  ) -> S {
    let windows = windows(truths, decisions, prototypes.shape)
    let channels = 0..<prototypes.shape[1]
    let terms = windows.map { window -> S in
      let (b, a) = (window.image, window.anchor)
      var sum: S = 0
      for row in window.rows {
        for column in window.columns {
          let logit = S.sum(
            channels.map { coefficients[b, $0, a] * prototypes[b, $0, row, column] })
          let target = S(window.isMarked(row, column) ? 1 : 0)
          sum = sum + BinaryCrossEntropy().reference(logit, target)
        }
      }
      return sum * S(window.weight)
    }
    return S.sum(terms)
  }

  /// What the mask term looks at of an anchor of the foreground.
  struct Window {
    var image, anchor: Int
    var rows, columns: Range<Int>
    /// g B / (h w a n).
    var weight: Double
    /// The truth's map, of which `mark` is the truth; any but 0, where it is nil.
    var map: ArraySlice<Double>
    var mark: Double?
    var width: Int

    func isMarked(_ row: Int, _ column: Int) -> Bool {
      let value = map[map.startIndex + row * width + column]
      return mark.map { value == $0 } ?? (value != 0)
    }
  }

  /// The windows of the foreground whose truths have an area.
  func windows(
    _ truths: Truths, _ decisions: YOLOv8.Decisions, _ shape: [Int]
  ) -> [Window] {
    let (height, width) = (shape[2], shape[3])
    let grid = truths.detection.grid
    let count = Double(decisions.reduce(0) { $0 + $1.count })
    let images = detection.scalesWithBatch ? Double(shape[0]) : 1
    return decisions.enumerated().flatMap { b, matches -> [Window] in
      let rows = truths.detection.rows.indices.filter { truths.detection.rows[$0].image == b }
      let rounds = crop == .roundedBelow50 && matches.count < 50
      return matches.compactMap { match in
        let row = truths.detection.rows[rows[match.truth]]
        let box = row.box(grid)
        let area = (box.width / grid.imageWidth) * (box.height / grid.imageHeight)
        guard area > 0 else { return nil }
        let across = Self.pixels(box.x1, box.x2, grid.imageWidth, width, rounds)
        let down = Self.pixels(box.y1, box.y2, grid.imageHeight, height, rounds)
        let (map, mark) = map(of: match.truth, b, rows[match.truth], truths.masks)
        return Window(
          image: b, anchor: match.anchor, rows: down, columns: across,
          weight: images * detection.boxGain / (Double(height * width) * area * count),
          map: map, mark: mark, width: width)
      }
    }
  }

  /// The pixels between two coordinates, given in pixels of the image.
  private static func pixels(
    _ low: Double, _ high: Double, _ side: Double, _ count: Int, _ rounds: Bool
  ) -> Range<Int> {
    let bounds = [low, high].map { edge -> Int in
      let place = edge / side * Double(count)
      let first = rounds ? place.rounded(.toNearestOrEven) : place.rounded(.up)
      return Int(min(max(first, 0), Double(count)))
    }
    return bounds[0]..<max(bounds[0], bounds[1])
  }

  private func map(
    of truth: Int, _ image: Int, _ row: Int, _ masks: Masks
  ) -> (map: ArraySlice<Double>, mark: Double?) {
    switch masks {
    case .overlapping(let maps):
      let each = maps.shape[1] * maps.shape[2]
      return (maps.data[image * each..<(image + 1) * each], Double(truth + 1))
    case .separate(let maps):
      let each = maps.shape[1] * maps.shape[2]
      return (maps.data[row * each..<(row + 1) * each], nil)
    }
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: YOLOv8.Decisions
  ) -> [Double] {
    let plain = detection.optimized(Array(heads[..<2]), truths.detection, decisions)
    let (coefficients, prototypes) = (heads[2], heads[3])
    let (channels, width) = (prototypes.shape[1], prototypes.shape[3])
    let size = prototypes.shape[2] * width
    coefficients.clearGradient()
    var slopes = [Double](repeating: 0, count: prototypes.count)
    var logits = [Double](repeating: 0, count: size)
    var (inputs, targets) = (
      [Element](repeating: 0, count: size), [Element](repeating: 0, count: size)
    )
    var gradient = inputs
    var mask = 0.0
    for window in windows(truths, decisions, prototypes.shape) {
      let count = window.rows.count * window.columns.count
      guard count > 0 else { continue }
      let first = window.image * channels * size
      let place = { coefficients.index(window.image, $0, window.anchor) }

      // c · q, channel by channel over the window's rows.
      for i in 0..<count { logits[i] = 0 }
      for k in 0..<channels {
        let c = Double(coefficients.values[place(k)])
        var i = 0
        for row in window.rows {
          let from = first + k * size + row * width
          for column in window.columns {
            logits[i] += c * Double(prototypes.values[from + column])
            i += 1
          }
        }
      }
      var i = 0
      for row in window.rows {
        for column in window.columns {
          inputs[i] = Element(logits[i])
          targets[i] = window.isMarked(row, column) ? 1 : 0
          i += 1
        }
      }
      mask += BinaryCrossEntropy().total(
        count: count, width: 1, inputs, targets, over: 1 / window.weight, gradient: &gradient)

      // ∂L/∂c_k = Σₚ g(p) q_k(p), ∂L/∂q_k(p) = Σₐ c_k g(p).
      for k in 0..<channels {
        let c = Double(coefficients.values[place(k)])
        var (sum, i) = (0.0, 0)
        for row in window.rows {
          let from = first + k * size + row * width
          for column in window.columns {
            let g = Double(gradient[i])
            sum += g * Double(prototypes.values[from + column])
            slopes[from + column] += c * g
            i += 1
          }
        }
        coefficients.gradient[place(k)] = Element(sum)
      }
    }
    for i in slopes.indices { prototypes.gradient[i] = Element(slopes[i]) }
    return [plain[0], mask, plain[1], plain[2]]
  }
}

extension HeadBuffer {
  /// The index of an entry of three axes.
  @inline(always) func index(_ i: Int, _ j: Int, _ k: Int) -> Int {
    (i * shape[1] + j) * shape[2] + k
  }
}
