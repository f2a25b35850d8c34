/// The small batch that the chapters of YOLOv8's objectives work out: an image of 32 x 32 pixels, maps of
/// 2 x 2 and 1 x 1 cells, two truths of three classes.
enum YOLOv8Example {
  static let grid = AnchorGrid([(2, 2), (1, 1)], strides: [16, 32])

  static let truths = YOLOv8.Truths(
    grid,
    [
      YOLOv8.Row(image: 0, label: 1, x: 0.4375, y: 0.5, width: 0.75, height: 0.875),
      YOLOv8.Row(image: 0, label: 2, x: 0.625, y: 0.5625, width: 0.625, height: 0.75),
    ])

  /// Logits that peak at a distance for each anchor and side, and class logits.
  static let heads: [Tensor] = {
    let peaks = [
      [0.2, 0.3, 1.3, 1.2], [0.9, 0.4, 0.4, 1.3], [0.3, 1.1, 1.2, 0.4], [1.1, 0.9, 0.4, 0.4],
      [0.45, 0.4, 0.35, 0.45],
    ]
    let jitter = pattern([1, 5, 4, 16], 37, 11, 101, 50, 250)
    let logits = pattern([1, 5, 3], 29, 7, 53, 26, 20)
    var boxes = Tensor(zeros: [1, 64, 5])
    var scores = Tensor(zeros: [1, 3, 5])
    for a in 0..<5 {
      for side in 0..<4 {
        for k in 0..<16 {
          let away = Double(k) - peaks[a][side]
          boxes.data[boxes.index(0, 16 * side + k, a)] = -away * away / 2 + jitter[0, a, side, k]
        }
      }
      for c in 0..<3 { scores.data[scores.index(0, c, a)] = logits[0, a, c] }
    }
    return [boxes, scores]
  }()

  /// The rules before 8.4.0, and those of 8.4.190; each truth picks three.
  static var releases: [(name: String, detection: YOLOv8)] {
    var classic = YOLOv8()
    classic.topk = 3
    classic.smallTruths = .none
    var current = YOLOv8()
    current.topk = 3
    return [("classic", classic), ("current", current)]
  }

  /// Numbers an anchor, (1, A, n), as a head, (1, n, A).
  static func head(_ rows: Tensor) -> Tensor {
    let width = rows.data.count / 5
    return Tensor(
      [1, width, 5], (0..<width * 5).map { rows.data[$0 % 5 * width + $0 / 5] })
  }
}

extension YOLOv8Segmentation {
  public static var worked: [WorkedScene<Self>] {
    let map = Tensor(
      [1, 8, 8],
      (0..<64).map { i in
        let (row, column) = (i / 8, i % 8)
        return row >= 2 && column >= 3 ? 2 : column <= 3 ? 1 : 0
      })
    let heads =
      YOLOv8Example.heads + [
        YOLOv8Example.head(pattern([1, 5, 2], 17, 4, 23, 11, 8)),
        pattern([1, 2, 8, 8], 13, 6, 29, 14, 10),
      ]
    let scene = Scene(heads, Truths(YOLOv8Example.truths, .overlapping(map)))
    return YOLOv8Example.releases.flatMap { name, detection in
      [CropRule.exact, .roundedBelow50].map { crop in
        var objective = Self()
        objective.detection = detection
        objective.crop = crop
        return WorkedScene(crop == .exact ? name : "\(name)_rounded", objective, scene)
      }
    }
  }
}

extension YOLOv8Pose {
  public static var worked: [WorkedScene<Self>] {
    let keypoints = Tensor(
      [2, 3, 3],
      [
        0.25, 0.375, 2, 0.5, 0.5, 1, 0.6875, 0.8125, 0,
        0.75, 0.25, 0, 0.5625, 0.625, 2, 0.875, 0.875, 0,
      ])
    let outputs = YOLOv8Example.head(pattern([1, 5, 3, 3], 19, 8, 43, 21, 25))
    let scene = Scene(
      YOLOv8Example.heads + [outputs], Truths(YOLOv8Example.truths, keypoints))
    return YOLOv8Example.releases.map { name, detection in
      var objective = Self()
      objective.detection = detection
      return WorkedScene(name, objective, scene)
    }
  }
}

extension YOLOv8OBB {
  public static var worked: [WorkedScene<Self>] {
    let truths = Truths(
      YOLOv8Example.grid,
      [
        Row(
          image: 0, label: 1,
          box: RotatedBox(x: 0.46875, y: 0.5, w: 0.84375, h: 0.65625, θ: 0.3)),
        Row(
          image: 0, label: 2,
          box: RotatedBox(x: 0.59375, y: 0.5625, w: 0.5, h: 0.8125, θ: 1.1)),
      ])
    let angles = Tensor([1, 1, 5], [0.1, 0.4, 0.25, 0.9, 0.5])
    let scene = Scene(YOLOv8Example.heads + [angles], truths)
    return YOLOv8Example.releases.map { name, detection in
      var objective = name == "classic" ? classic : Self()
      objective.detection = detection
      return WorkedScene(name, objective, scene)
    }
  }
}
