using System.Net;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>Writes failures as the replaced web application does: a page with one sentence.</summary>
internal sealed class LegacyPageFailureForm : IFailureForm
{
    public Task WriteAsync(HttpResponse response, ProblemDetails problem)
    {
        LegacyEndpoints.WritePageHeaders(response);
        var sentence = WebUtility.HtmlEncode(problem.Detail ?? problem.Title);
        return response.WriteAsync(
            $"<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Detection</title></head>\n<body><p>{sentence}</p></body>\n</html>\n",
            response.HttpContext.RequestAborted);
    }
}
