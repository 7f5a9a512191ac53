using Detection.Inference.Models;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Devices;

/// <summary>An output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Type of its values.</param>
/// <param name="HasBatch">Whether its first dimension is the picture's place in the batch.</param>
internal sealed record GraphOutput(string Name, TensorElementType Type, bool HasBatch);

/// <summary>What a device must know of a model's graph to run it: read from the file once, checked against the manifest.</summary>
internal sealed class ModelGraph
{
    private readonly Dictionary<string, long> _freeDimensions = [];
    private readonly string? _freeBatch;

    private ModelGraph(ModelSource model)
    {
        Model = model;
        var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        using (options)
        {
            using var session = OpenFile(model, options);
            (InputName, var input) = FindInput(session);
            InputType = input.ElementDataType;
            var wanted = Input.Element switch
            {
                TensorElement.Float32 => TensorElementType.Float,
                TensorElement.Float16 => TensorElementType.Float16,
                _ => TensorElementType.UInt8,
            };
            if (InputType != wanted)
            {
                throw Fault($"input {InputName} takes {InputType} and its manifest says {Input.Element}; correct input.element in model.json");
            }

            long[] shape = InputShape(1);
            if (input.Dimensions.Length != shape.Length)
            {
                throw Fault($"input {InputName} has {input.Dimensions.Length} dimensions, not 4; export the model with one picture input");
            }

            for (int i = 1; i < shape.Length; i++)
            {
                if (input.Dimensions[i] >= 0 && input.Dimensions[i] != shape[i])
                {
                    throw Fault(
                        $"input {InputName} has the shape [{string.Join(", ", input.Dimensions)}] and its manifest says "
                        + $"[batch, {string.Join(", ", shape.Skip(1))}]; correct the size or the layout of input in model.json");
                }

                if (input.Dimensions[i] < 0 && !string.IsNullOrEmpty(input.SymbolicDimensions[i]))
                {
                    _freeDimensions[input.SymbolicDimensions[i]] = shape[i];
                }
            }

            FixedBatch = Math.Max(input.Dimensions[0], 0);
            _freeBatch = FixedBatch == 0 && !string.IsNullOrEmpty(input.SymbolicDimensions[0]) ? input.SymbolicDimensions[0] : null;
            Outputs = FindOutputs(session);
        }

        if (FixedBatch > 1 && Outputs.FirstOrDefault(o => !o.HasBatch) is { } output)
        {
            throw Fault($"it takes {FixedBatch} pictures but output {output.Name} does not tell them apart; export it with batch 1");
        }
    }

    /// <summary>The model.</summary>
    public ModelSource Model { get; }

    /// <summary>How to feed it.</summary>
    public InputSpec Input => Model.Manifest.Input;

    /// <summary>Name of the picture input.</summary>
    public string InputName { get; }

    /// <summary>Type of the values of the picture input.</summary>
    public TensorElementType InputType { get; }

    /// <summary>The only batch size that the graph takes; 0 when it takes any.</summary>
    public int FixedBatch { get; }

    /// <summary>The outputs in the graph's order.</summary>
    public IReadOnlyList<GraphOutput> Outputs { get; }

    /// <summary>Whether a run may hold any number of pictures.</summary>
    public bool TakesAnyBatch => FixedBatch == 0 && Outputs.All(o => o.HasBatch);

    /// <summary>Bytes of one picture in the input tensor.</summary>
    public int RowBytes => checked(Input.Width * Input.Height * 3 * TensorElements.SizeOf(InputType));

    /// <summary>Reads a model's graph.</summary>
    /// <exception cref="ModelException">It cannot be read, or does not fit its manifest.</exception>
    public static ModelGraph Read(ModelSource model) => new(model);

    /// <summary>Shape of the picture input.</summary>
    public long[] InputShape(int batch) => Input.Layout == TensorLayout.Nchw
        ? [batch, 3, Input.Height, Input.Width]
        : [batch, Input.Height, Input.Width, 3];

    /// <summary>
    /// Opens a session for one batch size. Dimensions that the file leaves open are fixed, which lets the runtime work out
    /// the shapes of the outputs and plan its memory.
    /// </summary>
    /// <exception cref="ModelException">The file cannot be read or has operators that the runtime lacks.</exception>
    public InferenceSession Open(SessionOptions options, int batch)
    {
        foreach (var (name, size) in _freeDimensions)
        {
            options.AddFreeDimensionOverrideByName(name, size);
        }

        if (_freeBatch is not null)
        {
            options.AddFreeDimensionOverrideByName(_freeBatch, batch);
        }

        return OpenFile(Model, options);
    }

    private static InferenceSession OpenFile(ModelSource model, SessionOptions options)
    {
        try
        {
            return new InferenceSession(model.Path, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"Model {model.Name} cannot be loaded from {Path.GetFileName(model.Path)}: {e.Message}", e);
        }
    }

    private ModelException Fault(string what) => new($"Model {Model.Name} cannot be used: {what}.");

    private (string Name, NodeMetadata Data) FindInput(InferenceSession session)
    {
        string name = Input.Name ?? session.InputNames[0];
        if (!session.InputMetadata.TryGetValue(name, out var data))
        {
            throw Fault(
                $"it has no input {name} but {string.Join(", ", session.InputNames)}; correct input.name in model.json");
        }

        if (session.InputMetadata.Count > 1)
        {
            throw Fault(
                $"it has the inputs {string.Join(", ", session.InputNames)}; export it with the picture as the only input");
        }

        return (name, data);
    }

    private List<GraphOutput> FindOutputs(InferenceSession session)
    {
        string batchName = session.InputMetadata[InputName].SymbolicDimensions[0];
        var outputs = new List<GraphOutput>();
        Dictionary<string, bool>? tried = null;
        foreach (string name in session.OutputNames)
        {
            var data = session.OutputMetadata[name];
            if (data.OnnxValueType != OnnxValueType.ONNX_TYPE_TENSOR)
            {
                throw Fault($"output {name} is no tensor; export it with plain tensors as outputs");
            }

            bool hasBatch;
            if (data.Dimensions.Length == 0)
            {
                hasBatch = false;
            }
            else if (data.Dimensions[0] >= 0)
            {
                hasBatch = FixedBatch > 0 && data.Dimensions[0] == FixedBatch;
            }
            else if (FixedBatch == 0 && batchName.Length > 0 && data.SymbolicDimensions[0] == batchName)
            {
                hasBatch = true;
            }
            else
            {
                tried ??= TryBatches(session);
                hasBatch = tried[name];
            }

            outputs.Add(new GraphOutput(name, data.ElementDataType, hasBatch));
        }

        return outputs;
    }

    /// <summary>Runs black pictures to see which outputs grow with the batch, for graphs that do not say.</summary>
    private Dictionary<string, bool> TryBatches(InferenceSession session)
    {
        var follows = session.OutputNames.ToDictionary(name => name, _ => true);
        int[] batches = FixedBatch > 0 ? [FixedBatch] : [1, 2];
        foreach (int batch in batches)
        {
            using var input = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, InputType, InputShape(batch));
            input.GetTensorMutableRawData().Clear();
            using var run = new RunOptions();
            try
            {
                using var values = session.Run(run, [InputName], [input], session.OutputNames);
                for (int i = 0; i < values.Count; i++)
                {
                    long[] shape = values[i].GetTensorTypeAndShape().Shape;
                    follows[session.OutputNames[i]] &= shape.Length > 0 && shape[0] == batch;
                }
            }
            catch (OnnxRuntimeException) when (batch > 1 && FixedBatch == 0)
            {
                // The graph says that it takes any batch and does not: nothing in it can follow the batch.
                return follows.Keys.ToDictionary(name => name, _ => false);
            }
            catch (OnnxRuntimeException e)
            {
                throw new ModelException($"Model {Model.Name} cannot be run: {e.Message}", e);
            }
        }

        return follows;
    }
}
