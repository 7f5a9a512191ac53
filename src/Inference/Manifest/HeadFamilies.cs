namespace Detection.Inference.Manifest;

/// <summary>The supported families of detectors, and the settings of <c>head</c> that each of them has.</summary>
public static class HeadFamilies
{
    private static readonly string[] Queries = ["scores", "background", "boxFormat", "boxUnit", "outputs"];

    private static readonly Dictionary<string, string[]> Known = new(StringComparer.Ordinal)
    {
        ["nanodet"] = ["strides", "regMax", "cellOffset", "outputs"],
        ["picodet"] = ["strides", "regMax", "cellOffset", "outputs"],
        ["pp-yoloe"] = ["outputs"],
        ["yolox"] = ["strides", "decoded", "outputs"],
        ["yolov5"] = ["outputs"],
        ["yolov8"] = ["outputs"],
        ["yolov9"] = ["outputs"],
        ["yolo11"] = ["outputs"],
        ["yolo12"] = ["outputs"],
        ["yolov10"] = ["outputs"],
        ["yolo26"] = ["outputs"],
        ["deepstream"] = ["outputs"],
        ["efficientdet"] = ["strides", "anchorScale", "anchorScales", "anchorRatios", "outputs"],
        ["rt-detr"] = Queries,
        ["d-fine"] = Queries,
        ["detr"] = Queries,
        ["ssd"] = ["background", "boxFormat", "boxUnit", "outputs"],
        ["yolo-nas"] = ["outputs"],
        ["damo-yolo"] = ["outputs"],
        ["rtmdet"] = ["strides", "cellOffset", "decoded", "scores", "outputs"],
        ["centernet"] = ["strides", "scores", "outputs"],
        ["yunet"] = ["strides", "outputs"],
        ["scrfd"] = ["strides", "outputs"],
    };

    /// <summary>Names for the manifest's <c>family</c>.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>The settings of <c>head</c> that a family has; none for an unknown family.</summary>
    public static IReadOnlyList<string> SettingsOf(string family) => Known.GetValueOrDefault(family, []);
}
