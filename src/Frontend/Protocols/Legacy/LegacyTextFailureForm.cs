using System.Net.Mime;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>Writes failures as one sentence of text; the status shows that it is not a picture.</summary>
internal sealed class LegacyTextFailureForm : IFailureForm
{
    public Task WriteAsync(HttpResponse response, ProblemDetails problem)
    {
        response.ContentType = MediaTypeNames.Text.Plain;
        return response.WriteAsync(problem.Detail ?? problem.Title ?? "", response.HttpContext.RequestAborted);
    }
}
