using System.Globalization;
using System.Text.Json.Nodes;
using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Inspection;

/// <summary>Reads from an ONNX file what a manifest would say.</summary>
public static class ModelInspector
{
    /// <summary>
    /// Looks at a model: its graph, its metadata and, where there is one, its manifest, whose lines win over what the graph says.
    /// </summary>
    /// <param name="onnxPath">The ONNX file.</param>
    /// <param name="manifestPath">Its <c>model.json</c>, complete or with only some lines; <see langword="null"/> for none.</param>
    /// <param name="labels">Class names that win over those of the manifest and the graph; <see langword="null"/> for those.</param>
    /// <exception cref="ModelException">
    /// The file cannot be read, is no detector, or contradicts its manifest; one sentence says what to change. What is merely
    /// not known is no exception but listed in <see cref="ModelInspection.Missing"/>.
    /// </exception>
    public static ModelInspection Inspect(string onnxPath, string? manifestPath = null, IReadOnlyList<string>? labels = null)
    {
        try
        {
            return InspectFile(onnxPath, manifestPath, labels);
        }
#pragma warning disable CA1031 // Whatever a file makes the runtime or a library throw is that model's problem.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"{onnxPath}: cannot be used", e);
        }
    }

    private static ModelInspection InspectFile(string onnxPath, string? manifestPath, IReadOnlyList<string>? labels)
    {
        var lines = manifestPath is null ? [] : ManifestJson.Read(manifestPath);
        if (labels is not null)
        {
            lines["labels"] = new JsonArray([.. labels.Select(label => (JsonNode)label)]);
        }

        if (!File.Exists(onnxPath))
        {
            throw new ModelException($"{onnxPath}: no such file; copy the model there.");
        }

        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        InferenceSession session;
        try
        {
            TrialMemory.Use(options);
            session = OnnxFile.Open(Path.GetFullPath(onnxPath), options);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e) when (e is not ModelException)
#pragma warning restore CA1031
        {
            throw new ModelException($"{onnxPath}: not an ONNX model that can be loaded ({ModelFault.Reason(e)}); export it again.", e);
        }

        using (session)
        {
            return new Reading(session, onnxPath, manifestPath ?? onnxPath, lines).Result();
        }
    }

    private static readonly string[] FirstMembers = ["family", "input", "head"];
    private static readonly string[] SsdLines = ["boxFormat", "boxUnit", "background"];

    /// <summary>One inspection under way.</summary>
    private sealed class Reading(InferenceSession session, string path, string named, JsonObject lines)
    {
        private readonly List<string> _notes = [];
        private readonly List<string> _missing = [];
        private readonly Dictionary<string, string> _metadata = session.ModelMetadata.CustomMetadataMap;

        public ModelInspection Result()
        {
            var (inputName, input) = PictureInput();
            var fromGraph = new JsonObject { ["input"] = InputLines(inputName, input) };
            RefuseOtherTasks();
            if (Labels() is { } names)
            {
                fromGraph["labels"] = new JsonArray([.. names.Select(n => (JsonNode)n)]);
            }

            var known = ManifestJson.Over(fromGraph, lines);
            var family = Text(known["family"]);
            IReadOnlyList<OutputTensor>? outputs = null;
            if (Number(known, "width") is { } width && Number(known, "height") is { } height)
            {
                var channelsLast = Text(known["input"]?["layout"]) == "nhwc";
                RefuseOtherSize(input, channelsLast ? [height, width, 3] : [3, height, width]);
                (outputs, var guess) = Guess(known, inputName, input, width, height, channelsLast);
                family ??= guess.Family;
                if (family is null)
                {
                    _missing.Add(guess.Why);
                }
                else if (guess.Family == family)
                {
                    _notes.Add($"family {family}: {guess.Why}");
                    RefuseWrongClasses(known, guess.Classes);
                    if (guess.NeedsNormalisation && (lines["input"]?["mean"] is null || lines["input"]?["std"] is null))
                    {
                        _missing.Add("write \"input\": { \"scale\": 1, \"mean\": […], \"std\": […] } with the numbers of the model's img_norm_cfg or data_preprocessor, for they are not in the file");
                    }
                }
                else if (family == "ssd" && SsdLines.Any(line => lines["head"]?[line] is null))
                {
                    _missing.Add("write \"head\": { \"boxFormat\": …, \"boxUnit\": …, \"background\": … }: x1y1x2y2, y1x1y2x2 or cxcywh; pixels or fraction; none, first or last, for the outputs do not tell");
                }

                if (family is not null)
                {
                    fromGraph["family"] = family;
                    fromGraph = ManifestJson.Over(FamilyConventions.Of(family), fromGraph);
                    if (guess.Family == family && guess.Lines is not null)
                    {
                        fromGraph = ManifestJson.Over(fromGraph, guess.Lines);
                    }

                    if (input.ElementDataType == TensorElementType.UInt8)
                    {
                        var raw = new JsonObject { ["scale"] = 1, ["mean"] = new JsonArray(0, 0, 0), ["std"] = new JsonArray(1, 1, 1) };
                        fromGraph = ManifestJson.Over(fromGraph, new JsonObject { ["input"] = raw });
                    }
                }
            }

            known = ManifestJson.Over(fromGraph, lines);

            // Without a size the graph could not be asked for its family yet: that is not the person's to know.
            _missing.AddRange(ManifestJson.Missing(known).Where(
                line => Member(line) == "input" || ((outputs is not null || Member(line) != "family") && !_missing.Any(m => Member(m) == Member(line)))));
            var manifest = _missing.Count == 0 ? ManifestCheck.ToManifest(known, named) : null;
            if (manifest is not null && outputs is not null)
            {
                CheckAgainst(manifest, input, outputs);
            }

            return new ModelInspection(
                path,
                Tensors(session.InputMetadata),
                Tensors(session.OutputMetadata),
                _metadata,
                family,
                _notes,
                _missing,
                manifest,
                manifest?.ToJson() ?? ManifestJson.ToText(Ordered(known)));
        }

        /// <summary>What a picture's outputs look like, and which family that says.</summary>
        private (IReadOnlyList<OutputTensor> Outputs, FamilyGuess Guess) Guess(
            JsonObject known, string inputName, NodeMetadata input, int width, int height, bool channelsLast)
        {
            var second = Second(inputName);
            var trial = Trial(inputName, input, second, width, height, channelsLast);
            try
            {
                var seen = Outputs(input, trial);
                var (outputs, guess) = Of(objects: false);
                if (seen.HasDoubt && Of(objects: true) is var (others, other) && (Fits(other) || !Fits(guess)) && other.Family is not null)
                {
                    return (others, other);
                }

                return (outputs, guess);

                (List<OutputTensor> Outputs, FamilyGuess Guess) Of(bool objects)
                {
                    var tensors = seen.Tensors(objects);
                    var whole = seen.List(objects).Where(o => !o.HasBatch).Select(o => o.Name).ToHashSet();
                    return (tensors, FamilyRules.Ask(new OutputShapes(
                        tensors,
                        whole,
                        width,
                        height,
                        (known["labels"] as JsonArray)?.Count,
                        _metadata,
                        second is { IsSize: true },
                        name => trial.Run(Math.Max(1, input.Dimensions[0]), TrialPicture.Black)[name].Values)).Guess);
                }
            }
            catch (OnnxRuntimeException e)
            {
                throw Fault($"the graph does not run on a {width}×{height} picture ({ModelFault.Reason(e)}); correct \"input\"", e);
            }

            bool Fits(FamilyGuess guess) => guess.Family is not null && guess.Family == (Text(known["family"]) ?? guess.Family);
        }

        private (string Name, NodeMetadata Data) PictureInput()
        {
            if (Text(lines["input"]?["name"]) is { } given)
            {
                return session.InputMetadata.TryGetValue(given, out var data)
                    ? (given, data)
                    : throw Fault($"\"input.name\" is {given}, but the graph's inputs are {string.Join(", ", session.InputMetadata.Keys)}; write one of them");
            }

            var pictures = session.InputMetadata.Where(i => i.Value.IsTensor && i.Value.Dimensions.Length == 4).ToList();
            return pictures switch
            {
                [var one] => (one.Key, one.Value),
                [] => throw Fault($"the graph has no picture input of four dimensions but {string.Join(", ", Tensors(session.InputMetadata))}; export it with [batch, 3, height, width]"),
                _ => throw Fault($"the graph has several picture inputs; write \"input\": {{ \"name\": \"{pictures[0].Key}\" }} or another of {string.Join(", ", pictures.Select(p => p.Key))}"),
            };
        }

        private JsonObject InputLines(string name, NodeMetadata data)
        {
            var result = new JsonObject { ["name"] = name };
            var dimensions = data.Dimensions;
            if (dimensions.Length != 4)
            {
                throw Fault($"the input {name} has {dimensions.Length} dimensions, not 4; export it with [batch, 3, height, width]");
            }

            // TensorFlow exports leave all but the channels free, Hugging Face's even those but name them.
            bool AreColours(int i) => dimensions[i] == 3 || (dimensions[i] < 0 && data.SymbolicDimensions[i].Contains("channel", StringComparison.OrdinalIgnoreCase));
            var layout = Text(lines["input"]?["layout"]) ?? (AreColours(1) ? "nchw" : AreColours(3) ? "nhwc" : null);
            if (layout is null)
            {
                if (dimensions[1] > 0 && dimensions[3] > 0)
                {
                    throw Fault($"the input {name} [{string.Join(", ", dimensions)}] has no dimension of 3 colours; only colour models can be used");
                }

                if (!_metadata.ContainsKey("stride"))
                {
                    _missing.Add("write \"input\": { \"layout\": \"nchw\" } or \"nhwc\", for the graph leaves the place of the colours open");
                }

                layout = "nchw";
            }

            result["layout"] = layout;
            result["element"] = Element(name, data);

            var (height, width) = layout == "nhwc" ? (dimensions[1], dimensions[2]) : (dimensions[2], dimensions[3]);
            if ((height <= 0 || width <= 0) && _metadata.TryGetValue("imgsz", out var imgsz) && PythonLiteral.Numbers(imgsz) is { Count: 1 or 2 } size)
            {
                height = height <= 0 ? size[0] : height;
                width = width <= 0 ? size[^1] : width;
                _notes.Add($"size {width}×{height}: metadata imgsz");
            }

            if (width > 0)
            {
                result["width"] = width;
            }

            if (height > 0)
            {
                result["height"] = height;
            }

            return result;
        }

        private string Element(string name, NodeMetadata data) => data.ElementDataType switch
        {
            TensorElementType.Float => "float32",
            TensorElementType.Float16 => "float16",
            TensorElementType.UInt8 => "uint8",
            _ => throw Fault($"the input {name} takes {data.ElementDataType}; export it for float32, float16 or uint8"),
        };

        private void RefuseOtherTasks()
        {
            if (_metadata.TryGetValue("task", out var task) && task != "detect")
            {
                throw Fault($"the model is for the task \"{task}\"; only detectors can be used, export one of task \"detect\"");
            }
        }

        private List<string>? Labels()
        {
            if (lines["labels"] is not null || !_metadata.TryGetValue("names", out var text))
            {
                return null;
            }

            var names = PythonLiteral.Names(text);
            if (names is null)
            {
                _missing.Add("write \"labels\": a list of class names, for the metadata line \"names\" cannot be read");
                return null;
            }

            if (names.Count == 0)
            {
                throw Fault("its metadata names 0 classes; write \"labels\": a list of the class names in the manifest");
            }

            _notes.Add($"{names.Count} labels: metadata names");
            return names;
        }

        private void RefuseWrongClasses(JsonObject known, int? classes)
        {
            if (classes is not { } count)
            {
                return;
            }

            if (count <= 0)
            {
                throw Fault($"its outputs {string.Join(", ", Tensors(session.OutputMetadata))} have room for 0 classes; export a detector with at least one class");
            }

            if (known["labels"] is JsonArray labels)
            {
                // "labels" that do not fit are told by name; the head would only see shapes that are not its own.
                if (labels.Count != count)
                {
                    throw Fault($"its outputs have {count} classes and \"labels\" has {labels.Count} names; write all {count} in the order of the class numbers");
                }
            }
            else if (_missing.Count == 0 || !_missing.Any(m => m.Contains("\"labels\"", StringComparison.Ordinal)))
            {
                _missing.Add($"write \"labels\": a list of the {count} class names in the order of the class numbers, or the name of a text file beside the manifest with one name a line");
            }
        }

        private SecondInput? Second(string inputName)
        {
            try
            {
                return SecondInput.Find(session, inputName);
            }
            catch (ModelException e)
            {
                throw Fault(e.Message);
            }
        }

        private GraphTrial Trial(string inputName, NodeMetadata input, SecondInput? second, int width, int height, bool channelsLast) => new(
            session,
            inputName,
            input.ElementDataType,
            batch => channelsLast ? [batch, height, width, 3] : [batch, 3, height, width],
            batch => second is null ? null : (second.Name, second.Create(batch, width, height)),
            new RunBounds(GraphTrial.Longest));

        private GraphOutputs Outputs(NodeMetadata input, GraphTrial trial)
        {
            if (session.OutputMetadata.FirstOrDefault(o => !o.Value.IsTensor) is { Key: not null } other)
            {
                throw Fault($"its output {other.Key} is not a tensor; export it with tensors only");
            }

            var batch = input.Dimensions[0];
            return GraphOutputs.Of(session, Math.Max(batch, 0), batch < 0 ? new HashSet<string> { input.SymbolicDimensions[0] } : [], trial);
        }

        private void RefuseOtherSize(NodeMetadata input, int[] wanted)
        {
            if (input.Dimensions.Skip(1).Zip(wanted).Any(d => d.First > 0 && d.First != d.Second))
            {
                throw Fault($"the graph takes [{string.Join(", ", input.Dimensions)}] and \"input\" says [batch, {string.Join(", ", wanted)}]; correct its width, height or layout");
            }
        }

        private void CheckAgainst(ModelManifest manifest, NodeMetadata input, IReadOnlyList<OutputTensor> outputs)
        {
            var spec = manifest.Input;
            var element = Element(spec.Name ?? "", input);
            if (!string.Equals(element, spec.Element.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                throw Fault($"the graph takes {element}; write \"element\": \"{element}\" in \"input\"");
            }

            try
            {
                // Nothing scores above 1: only the shapes are looked at.
                DetectionHeads.Create(manifest).Read(
                    outputs, InputGeometry.Of(spec, spec.Width, spec.Height), new HeadSettings(1.1f, manifest.Iou, 1), []);
            }
            catch (ModelException e)
            {
                throw new ModelException($"{named}: {e.Message}", e);
            }
        }

        private ModelException Fault(string what, Exception? inner = null) => new($"{named}: {what}.", inner);

        private static List<GraphTensor> Tensors(IReadOnlyDictionary<string, NodeMetadata> all) =>
        [
            .. all.Select(t => new GraphTensor(
                t.Key,
                t.Value.IsTensor ? t.Value.ElementDataType.ToString() : t.Value.OnnxValueType.ToString(),
                t.Value.IsTensor ? [.. t.Value.Dimensions.Select((d, i) => Dimension(d, t.Value.SymbolicDimensions[i]))] : [])),
        ];

        private static string Dimension(int value, string name) =>
            value >= 0 ? value.ToString(CultureInfo.InvariantCulture) : string.IsNullOrEmpty(name) ? "?" : name;

        private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

        private int? Number(JsonObject known, string member) =>
            known["input"]?[member] is not JsonValue value || !value.TryGetValue<int>(out var number) || number <= 0 ? null
            : number <= 8192 ? number
            : throw Fault($"\"input.{member}\" is {number}; a model of 8 to 8192 pixels can be used");

        private static string Member(string line) => line.Split('"')[1];

        /// <summary>The members in the order of a complete manifest.</summary>
        private static JsonObject Ordered(JsonObject known)
        {
            var result = new JsonObject();
            foreach (var name in FirstMembers.Concat(known.Select(m => m.Key)).Distinct().Where(known.ContainsKey))
            {
                result[name] = known[name]?.DeepClone();
            }

            return result;
        }
    }
}
